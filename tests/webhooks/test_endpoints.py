"""Registering this site's URL at PartnerStack."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from typing import Any

import pytest
from django.test import override_settings

from django_partnerstack.exceptions import EndpointError
from django_partnerstack.webhooks import endpoints
from django_partnerstack.webhooks.normalise import EVENTS

from .conftest import SECRET, URL, Site

SITE = "https://www.example.com"
pytestmark = pytest.mark.django_db


def at_partnerstack(site: Site) -> list[tuple[str, list[str]]]:
    return [(item["target_url"], item["events"]) for item in site.sandbox.objects("webhooks")]


def test_a_first_registration_creates_an_endpoint(site: Site) -> None:
    done = endpoints.register(site.client, f"{SITE}/")
    assert at_partnerstack(site) == [(SITE + URL, list(EVENTS))]
    assert (done.change, done.endpoint.url) == ("created", f"{SITE}/partnerstack/webhooks/***/")
    assert done.endpoint.is_own


def test_a_second_registration_changes_nothing(site: Site) -> None:
    endpoints.register(site.client, SITE)
    assert endpoints.register(site.client, SITE).change == "unchanged"
    assert len(at_partnerstack(site)) == 1
    assert {request.method for request in site.adapter.requests[2:]} == {"GET"}


def test_other_events_and_a_new_secret_are_written_to_the_same_endpoint(site: Site) -> None:
    key = endpoints.register(site.client, SITE).endpoint.key
    with override_settings(PARTNERSTACK_WEBHOOK_SECRETS=["new-" + SECRET, SECRET]):
        done = endpoints.register(site.client, SITE, events=["customer.created"])
    assert (done.change, done.endpoint.key) == ("updated", key)
    assert at_partnerstack(site) == [(SITE + URL.replace("canary", "new-canary"), ["customer.created"])]


def test_surplus_endpoints_of_this_site_are_removed_and_those_of_others_are_kept(site: Site) -> None:
    others = ["https://crm.example/hook/", f"https://staging.example.com{URL}", SITE + "/partnerstack/other/"]
    for url in (*others, SITE + URL, SITE + "/partnerstack/webhooks/an-old-secret/", SITE + URL):
        site.client.webhooks.create(target_url=url, events=EVENTS)
    done = endpoints.register(site.client, SITE)
    assert (done.change, len(done.removed)) == ("unchanged", 2)
    assert sorted(url for url, _ in at_partnerstack(site)) == sorted([*others, SITE + URL])


def test_an_account_whose_field_is_called_target(site: Site) -> None:
    site.sandbox.behaviour.webhook_url_field = "target"
    assert endpoints.register(site.client, SITE, url_field="target").change == "created"
    assert endpoints.register(site.client, SITE, url_field="target").change == "unchanged"


def test_secrets_of_all_sites_are_masked(site: Site) -> None:
    urls = [
        f"https://u:p@a.example/in/{'x' * 16}?token=1",
        f"https://b.example{URL}",
        "http://[",
        "https://c.example/hook/",
    ]
    for url in urls:
        site.sandbox.create("webhooks", target_url=url)
    assert {endpoint.url for endpoint in endpoints.endpoints(site.client)} == {
        "https://a.example/in/***?***",
        "https://b.example/partnerstack/webhooks/***/",
        "***",
        "https://c.example/hook/",
    }


def test_without_keys_the_endpoints_with_this_sites_secrets_are_removed(site: Site) -> None:
    other = site.sandbox.create("webhooks", target_url="https://crm.example/hook/")["key"]
    endpoints.register(site.client, SITE)
    assert [endpoint.is_own for endpoint in endpoints.remove(site.client)] == [True]
    assert endpoints.remove(site.client) == []
    assert [endpoint.key for endpoint in endpoints.remove(site.client, [other])] == [other]
    assert not at_partnerstack(site)


def test_an_unknown_key_removes_nothing(site: Site) -> None:
    endpoints.register(site.client, SITE)
    with pytest.raises(EndpointError, match="no endpoint webh_none"):
        endpoints.remove(site.client, ["webh_none"])
    assert len(at_partnerstack(site)) == 1


@pytest.mark.parametrize(
    "url", ["www.example.com", "ftp://a.example", f"{SITE}/path", "https://", "x", "https://["]
)
def test_what_is_not_the_url_of_a_site_is_refused(site: Site, url: str) -> None:
    with pytest.raises(EndpointError, match="Give the URL of your site"):
        endpoints.register(site.client, url)
    assert not site.reads


@override_settings(PARTNERSTACK_WEBHOOK_SECRETS=[])
def test_without_a_secret_the_error_says_how_to_make_one(site: Site) -> None:
    with pytest.raises(EndpointError, match="token_urlsafe"):
        endpoints.register(site.client, SITE)


@override_settings(ROOT_URLCONF="tests.benchmarks.sink")
def test_without_urls_the_error_says_what_to_include(site: Site, settings: Any) -> None:
    settings.ROOT_URLCONF = ()
    with pytest.raises(EndpointError, match="include"):
        endpoints.register(site.client, SITE)


@pytest.mark.parametrize(
    ("call", "after"),
    [
        (lambda client: endpoints.register(client, SITE), 0),
        (lambda client: endpoints.register(client, SITE), 1),
        (lambda client: endpoints.endpoints(client), 0),
        (lambda client: endpoints.remove(client), 0),
        (lambda client: endpoints.remove(client), 1),
    ],
    ids=["register", "update", "list", "list before removal", "remove"],
)
def test_no_error_contains_the_secret(site: Site, call: Callable[..., Any], after: int) -> None:
    """Not even in the variables of its traceback."""
    site.client.webhooks.create(target_url=SITE + URL, events=["customer.created"])
    handle, left = site.sandbox.handle, [after]

    def fail(method: str, target: str, headers: Any, body: bytes = b"") -> Any:
        from django_partnerstack.sandbox.replies import json_reply

        left[0] -= 1
        if left[0] >= 0:
            return handle(method, target, headers, body)
        return json_reply(400, {"message": f"{SITE + URL} is not valid"})

    site.sandbox.handle = fail  # type: ignore[method-assign]
    with pytest.raises(EndpointError, match="400") as raised:
        call(site.client)
    # Without this test's own frame.
    error = raised.value.with_traceback(raised.value.__traceback__.tb_next)
    shown = traceback.TracebackException.from_exception(error, capture_locals=True)
    assert SECRET not in "".join(shown.format())
