"""The action "Refresh from PartnerStack", against a sandbox behind a socket."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.contrib.messages import ERROR, SUCCESS, WARNING
from django.db import transaction
from django.test import Client
from django.urls import resolve

from django_partnerstack.admin.refresh import ROWS, SECONDS, told
from django_partnerstack.exceptions import NotFound, PartnerStackError
from django_partnerstack.models import Customer, Mirror
from django_partnerstack.resources import RESOURCES, Resource
from django_partnerstack.sandbox import TEST_KEYS, Sandbox
from django_partnerstack.sync import Refreshed

from .conftest import list_url

COUNTS = {"partnerships": 2, "customers": 2, "deals": 2, "leads": 2}

REFRESHABLE = [name for name, resource in RESOURCES.items() if resource.readable]
each_refreshable = pytest.mark.parametrize("resource", REFRESHABLE)


@pytest.fixture
def sandbox(settings: Any) -> Iterator[Sandbox]:
    sandbox = Sandbox(**COUNTS)
    settings.PARTNERSTACK_PUBLIC_KEY, settings.PARTNERSTACK_SECRET_KEY = TEST_KEYS
    with sandbox.serve() as server:
        settings.PARTNERSTACK_API_URL = f"{server.url}/api/v2"
        yield sandbox


@pytest.fixture
def clerk(staff: Callable[..., Client]) -> Client:
    """Somebody who may see and refresh."""
    names = [RESOURCES[resource].model._meta.model_name for resource in REFRESHABLE]
    return staff(*(f"{verb}_{name}" for verb in ("view", "refresh") for name in names))


def refresh(browser: Client, *rows: Mirror, mode: str = "test") -> list[tuple[int, str]]:
    """What the page says after the action was taken on these rows."""
    form = {"action": "refresh_from_partnerstack", "_selected_action": [row.pk for row in rows]}
    answer = browser.post(f"{list_url(type(rows[0]))}?mode={mode}", form, follow=True)
    return [(message.level, message.message) for message in answer.context["messages"]]


def mirrored(sandbox: Sandbox, resource: str = "customers", **columns: Any) -> list[Any]:
    """Rows that know the keys of what is in the sandbox, and nothing else."""
    model = RESOURCES[resource].model
    keys = [item["key"] for item in sandbox.objects(resource)]
    return [model.objects.create(mode="test", key=key, **columns) for key in keys]


@each_refreshable
def test_what_changed_at_partnerstack_is_read_again(clerk: Client, sandbox: Sandbox, resource: str) -> None:
    rows = mirrored(sandbox, resource)
    assert refresh(clerk, rows[0]) == [(SUCCESS, "1 updated, 0 unchanged, 0 missing, 0 failed.")]
    assert refresh(clerk, *rows) == [(SUCCESS, f"{len(rows) - 1} updated, 1 unchanged, 0 missing, 0 failed.")]
    assert not type(rows[0]).objects.filter(synced_at=None)


def test_a_row_that_is_gone_is_marked_as_missing(clerk: Client, sandbox: Sandbox) -> None:
    row = mirrored(sandbox)[0]
    sandbox.remove("customers", row.key)
    assert refresh(clerk, row) == [(WARNING, "0 updated, 0 unchanged, 1 missing, 0 failed.")]
    row.refresh_from_db()
    assert row.missing_since is not None


def test_a_row_that_cannot_be_read_is_told_and_the_rest_goes_on(clerk: Client, sandbox: Sandbox) -> None:
    first, second = mirrored(sandbox)
    sandbox.faults.add("status", status=403, path=f"/api/v2/customers/{first.key}")
    (level, counts), (_, failure) = refresh(clerk, first, second)
    assert (level, counts) == (ERROR, "1 updated, 0 unchanged, 0 missing, 1 failed.")
    assert failure.startswith(f"{first}: GET /")


def test_only_so_many_rows_are_read_at_once(clerk: Client, sandbox: Sandbox) -> None:
    rows = [Customer.objects.create(mode="test", key=f"cus_{number}") for number in range(ROWS + 2)]
    _, (level, text) = refresh(clerk, *rows)
    assert (level, text) == (WARNING, "2 not tried: at most 50 are read at once.")
    assert Customer.objects.filter(missing_since=None).count() == 2


def test_rows_of_the_other_mode_are_left_alone(clerk: Client, sandbox: Sandbox) -> None:
    foreign = Customer.objects.create(mode="production", key="cus_1")
    _, (level, text) = refresh(clerk, foreign, mode="all")
    assert (level, text) == (WARNING, "1 not tried: the site runs in test mode, and they are of another.")
    foreign.refresh_from_db()
    assert foreign.missing_since is None


def test_without_keys_the_message_says_which_settings_to_change(
    clerk: Client, sandbox: Sandbox, settings: Any
) -> None:
    settings.PARTNERSTACK_PUBLIC_KEY = settings.PARTNERSTACK_SECRET_KEY = ""
    [(level, text)] = refresh(clerk, mirrored(sandbox)[0])
    assert level == ERROR
    assert "PARTNERSTACK_PUBLIC_KEY and PARTNERSTACK_SECRET_KEY are not set" in text


def test_wrong_keys_are_told_without_showing_them(clerk: Client, sandbox: Sandbox, settings: Any) -> None:
    settings.PARTNERSTACK_SECRET_KEY = "sk_canary_1"
    (level, _), (_, text) = refresh(clerk, mirrored(sandbox)[0])
    assert level == ERROR
    assert "canary" not in text


def test_to_see_is_not_to_refresh(staff: Callable[..., Client], sandbox: Sandbox) -> None:
    browser, row = staff("view_customer"), mirrored(sandbox)[0]
    assert "refresh_from_partnerstack" not in browser.get(list_url(Customer)).rendered_content
    refresh(browser, row)
    row.refresh_from_db()
    assert row.synced_at is None


def test_to_refresh_one_kind_is_not_to_refresh_another(staff: Callable[..., Client]) -> None:
    page = staff("view_customer", "refresh_deal").get(list_url(Customer))
    assert "refresh_from_partnerstack" not in page.rendered_content


@pytest.mark.parametrize("resource", RESOURCES.values(), ids=RESOURCES)
def test_the_action_is_there_where_objects_can_be_read_one_by_one(
    admin_client: Client, resource: Resource
) -> None:
    resource.model.objects.create(mode="test", key="k")
    html = admin_client.get(list_url(resource.model)).rendered_content
    assert ("Refresh from PartnerStack" in html) == resource.readable


@each_refreshable
def test_no_request_is_made_inside_a_transaction(resource: str) -> None:
    """Django wraps a view in one on a site with ATOMIC_REQUESTS, unless the view says no."""
    view = resolve(list_url(RESOURCES[resource].model)).func
    assert view._non_atomic_requests == transaction.non_atomic_requests(lambda: None)._non_atomic_requests


def test_what_there_was_no_time_for_is_told() -> None:
    texts = [text for _, text in told(Refreshed(updated=1, left=4), over=0, foreign=0)]
    assert texts[1] == f"4 not tried: {SECONDS} seconds were up."


def test_of_many_failures_the_first_few_are_told() -> None:
    failed: dict[str, PartnerStackError] = {
        f"cus_{number}": NotFound("No", method="GET", path="/x") for number in range(7)
    }
    texts = [text for _, text in told(Refreshed(failed=failed), over=0, foreign=0)]
    assert texts[1:] == [
        "cus_0: GET /x: No",
        "cus_1: GET /x: No",
        "cus_2: GET /x: No",
        "… and 4 more failed.",
    ]
