"""Objects that could not be reported are listed, and reported again by an action."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.messages import ERROR, SUCCESS, WARNING
from django.test import Client

from django_partnerstack import sources
from django_partnerstack.models import OutboxMessage, SourceFailure
from tests.outbox.site import account
from tests.shop.models import Account

from ..conftest import html_of, list_url, page_url, queries, shown, take

LIST = list_url(SourceFailure)


def fail(instance: Any) -> Any:
    raise LookupError(f"No profile of {instance.pk} <yet>.")


@pytest.fixture
def broken(monkeypatch: pytest.MonkeyPatch, db: None) -> Callable[..., None]:
    usual = sources.customers[Account]
    return lambda source=usual: monkeypatch.setitem(sources.customers, Account, source)


@pytest.fixture
def failed(broken: Callable[..., None]) -> Account:
    """An account whose source failed and works again."""
    broken(fail)
    shop = account()
    broken()
    return shop


@pytest.fixture
def operator(staff: Callable[..., Client]) -> Client:
    return staff("view_sourcefailure", "report_sourcefailure")


def test_a_failure_is_listed_with_its_error_and_a_link_to_the_object(
    browser: Client, failed: Account
) -> None:
    row = SourceFailure.objects.get()
    for html in (browser.get(LIST).rendered_content, html_of(browser, row)):
        assert f"LookupError: No profile of {failed.pk} &lt;yet&gt;." in html
        assert f'href="{page_url(failed)}"' in html


def test_keys_of_the_site_are_not_shown(browser: Client, failed: Account, settings: Any) -> None:
    SourceFailure.objects.update(error="Refused sk_canary.")
    settings.PARTNERSTACK_SECRET_KEY = "sk_canary"
    for html in (browser.get(LIST).rendered_content, html_of(browser, SourceFailure.objects.get())):
        assert "canary" not in html
        assert "Refused ***." in html


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({}, 1),
        ({"q": "profile"}, 1),
        ({"q": "other"}, 0),
        ({"source": "shop.account"}, 1),
        ({"mode": "production"}, 0),
    ],
)
def test_the_list_can_be_narrowed(
    browser: Client, failed: Account, query: dict[str, str], found: int
) -> None:
    assert len(shown(browser, LIST, **query)) == found


def test_a_list_takes_as_many_queries_for_many_as_for_one(browser: Client, broken: Any) -> None:
    broken(fail)
    account()
    few = queries(browser, LIST)
    for _ in range(20):
        account()
    assert queries(browser, LIST) == few


def test_an_object_is_reported_again(operator: Client, failed: Account) -> None:
    assert take(operator, "report_again", SourceFailure.objects.get()) == [(SUCCESS, "1 reported.")]
    assert not SourceFailure.objects.exists()
    assert OutboxMessage.objects.get().subject == f"shop-account-{failed.pk}"


def test_the_page_of_a_failure_has_a_button_for_those_who_may_use_it(
    operator: Client, failed: Account
) -> None:
    button = '<button class="button" name="action" value="report_again" type="submit">Report again</button>'
    assert button in html_of(operator, SourceFailure.objects.get())


def test_an_object_that_fails_again_is_kept_with_its_new_error(operator: Client, broken: Any) -> None:
    broken(fail)
    account()
    broken(lambda account: 1 / 0)
    row = SourceFailure.objects.get()
    assert take(operator, "report_again", row) == [(ERROR, f"{row}: division by zero")]
    row.refresh_from_db()
    assert (row.error, row.times) == ("ZeroDivisionError: division by zero", 2)


@pytest.mark.parametrize("removed", ["object", "model"])
def test_a_failure_of_a_removed_object_is_removed(operator: Client, failed: Account, removed: str) -> None:
    if removed == "object":
        failed.delete()
    else:
        SourceFailure.objects.update(source="gone.model")
    text = "1 removed: the objects no longer exist."
    assert take(operator, "report_again", SourceFailure.objects.get()) == [(SUCCESS, text)]
    assert not SourceFailure.objects.exists()


def test_a_failure_of_the_other_mode_is_left_out(operator: Client, failed: Account) -> None:
    SourceFailure.objects.update(mode="production")
    [(level, text)] = take(operator, "report_again", SourceFailure.objects.get(), query="?mode=production")
    assert (level, "the site runs in test mode" in text) == (WARNING, True)
    assert SourceFailure.objects.exists()


def test_reporting_again_needs_its_permission(browser: Client, failed: Account) -> None:
    assert "report_again" not in browser.get(LIST).rendered_content
    assert "report_again" not in html_of(browser, SourceFailure.objects.get())
    take(browser, "report_again", SourceFailure.objects.get())
    assert not OutboxMessage.objects.exists()


def test_every_page_of_the_app_counts_failures_and_waiting_messages(browser: Client, failed: Account) -> None:
    html = browser.get("/admin/partnerstack/").rendered_content
    assert "1 object could not be reported: its source failed, or its data cannot be used." in html
    assert f'href="{LIST}?mode=test"' in html
