"""The action "Refresh from PartnerStack", against a sandbox over HTTP."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.contrib.messages import ERROR, SUCCESS, WARNING
from django.test import Client

from django_partnerstack.admin.actions.refresh import ROWS, SECONDS, summary
from django_partnerstack.exceptions import (
    AuthenticationFailed,
    NotFound,
    NotSent,
    PartnerStackError,
    RequestError,
)
from django_partnerstack.models import Customer, Mirror
from django_partnerstack.resources import RESOURCES, Resource
from django_partnerstack.sandbox import TEST_KEYS, Sandbox
from django_partnerstack.sync import Refreshed

from ..conftest import list_url, take

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
def operator(staff: Callable[..., Client]) -> Client:
    names = [RESOURCES[resource].model._meta.model_name for resource in REFRESHABLE]
    return staff(*(f"{verb}_{name}" for verb in ("view", "refresh") for name in names))


def refresh(browser: Client, *rows: Mirror) -> list[tuple[int, str]]:
    return take(browser, "refresh_from_partnerstack", *rows)


def mirrored(sandbox: Sandbox, resource: str = "customers", **columns: Any) -> list[Any]:
    """Rows with the keys of the sandbox's objects and no other columns."""
    model = RESOURCES[resource].model
    keys = [item["key"] for item in sandbox.objects(resource)]
    return [model.objects.create(mode="test", key=key, **columns) for key in keys]


@each_refreshable
def test_what_changed_at_partnerstack_is_read_again(
    operator: Client, sandbox: Sandbox, resource: str
) -> None:
    rows = mirrored(sandbox, resource)
    assert refresh(operator, rows[0]) == [(SUCCESS, "1 updated, 0 unchanged, 0 missing, 0 failed.")]
    assert refresh(operator, *rows) == [
        (SUCCESS, f"{len(rows) - 1} updated, 1 unchanged, 0 missing, 0 failed.")
    ]
    assert not type(rows[0]).objects.filter(synced_at=None)


def test_a_row_that_was_deleted_at_partnerstack_is_marked_as_missing(
    operator: Client, sandbox: Sandbox
) -> None:
    row = mirrored(sandbox)[0]
    sandbox.remove("customers", row.key)
    assert refresh(operator, row) == [(WARNING, "0 updated, 0 unchanged, 1 missing, 0 failed.")]
    row.refresh_from_db()
    assert row.missing_since is not None


def test_a_row_that_cannot_be_read_is_named_and_the_others_are_read(
    operator: Client, sandbox: Sandbox
) -> None:
    first, second = mirrored(sandbox)
    sandbox.faults.add("status", status=403, path=f"/api/v2/customers/{first.key}")
    (level, counts), (_, failure) = refresh(operator, first, second)
    assert (level, counts) == (ERROR, "1 updated, 0 unchanged, 0 missing, 1 failed.")
    assert failure.startswith(f"{first}: GET /")


def test_at_most_fifty_rows_are_read_at_once(operator: Client, sandbox: Sandbox) -> None:
    rows = [Customer.objects.create(mode="test", key=f"cus_{number}") for number in range(ROWS + 2)]
    _, (level, text) = refresh(operator, *rows)
    assert (level, text) == (WARNING, "2 not tried: at most 50 rows at once.")
    assert Customer.objects.filter(missing_since=None).count() == 2


def test_without_keys_the_message_says_which_settings_to_change(
    operator: Client, sandbox: Sandbox, settings: Any
) -> None:
    settings.PARTNERSTACK_PUBLIC_KEY = settings.PARTNERSTACK_SECRET_KEY = ""
    [(level, text)] = refresh(operator, mirrored(sandbox)[0])
    assert level == ERROR
    assert "PARTNERSTACK_PUBLIC_KEY and PARTNERSTACK_SECRET_KEY are not set" in text


def test_an_error_about_wrong_keys_does_not_show_them(
    operator: Client, sandbox: Sandbox, settings: Any
) -> None:
    settings.PARTNERSTACK_SECRET_KEY = "sk_canary_1"
    (level, _), (_, text) = refresh(operator, mirrored(sandbox)[0])
    assert level == ERROR
    assert "canary" not in text


def test_refreshing_needs_its_own_permission(staff: Callable[..., Client], sandbox: Sandbox) -> None:
    browser, row = staff("view_customer"), mirrored(sandbox)[0]
    assert "refresh_from_partnerstack" not in browser.get(list_url(Customer)).rendered_content
    refresh(browser, row)
    row.refresh_from_db()
    assert row.synced_at is None


def test_the_permission_is_for_one_model(staff: Callable[..., Client]) -> None:
    page = staff("view_customer", "refresh_deal").get(list_url(Customer))
    assert "refresh_from_partnerstack" not in page.rendered_content


@pytest.mark.parametrize("resource", RESOURCES.values(), ids=RESOURCES)
def test_the_action_is_offered_if_objects_are_readable_by_key(
    admin_client: Client, resource: Resource
) -> None:
    resource.model.objects.create(mode="test", key="k")
    html = admin_client.get(list_url(resource.model)).rendered_content
    assert ("Refresh from PartnerStack" in html) == resource.readable


def test_rows_after_the_time_limit_are_counted() -> None:
    texts = [text for _, text in summary(Refreshed(updated=1, not_tried=4))]
    assert texts[1] == f"4 not tried: the limit of {SECONDS} seconds was reached."


def test_the_first_of_many_failures_are_shown() -> None:
    failed: dict[str, PartnerStackError] = {
        f"cus_{number}": NotFound("No", method="GET", path=f"/x/{number}") for number in range(7)
    }
    texts = [text for _, text in summary(Refreshed(failed=failed))]
    assert texts[1:] == [
        "cus_0: GET /x/0: No",
        "cus_1: GET /x/1: No",
        "cus_2: GET /x/2: No",
        "… and 4 more failed.",
    ]


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (
            NotSent,
            "PartnerStack cannot be reached. Check the network and PARTNERSTACK_API_URL, or try later.",
        ),
        (
            AuthenticationFailed,
            "PartnerStack rejected the API keys. Correct them in the settings of the site.",
        ),
    ],
)
def test_what_concerns_all_rows_is_said_once_and_says_what_to_do(
    error: type[RequestError], text: str
) -> None:
    failed: dict[str, PartnerStackError] = {
        f"cus_{number}": error("x", method="GET", path=f"/x/{number}") for number in range(2)
    }
    [_, (level, shown)] = summary(Refreshed(failed=failed))
    assert level == ERROR
    assert shown.startswith(f"cus_0, cus_1: {text}")
