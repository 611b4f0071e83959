"""A customer is bound to a click once, at the sign-up."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction
from django.test import override_settings
from django.urls import resolve

from django_partnerstack import attribution, sources, track
from django_partnerstack.models import Attribution, OutboxMessage
from tests.outbox.site import messages
from tests.shop.models import Account

from .clicks import CLICK, account, came_by, click, customer, key_of, link, request
from .clicks import attribution as bound
from .converting import ConvertingSite

pytestmark = pytest.mark.django_db

ACCOUNTS = "INSERT account", "SAVEPOINT", "INSERT identity", "INSERT message", "RELEASE"
#: PostgreSQL records and queues with one statement.
ACCOUNTS_ON_POSTGRESQL = "INSERT account", "SAVEPOINT", "INSERT identity and message", "RELEASE"
#: The click is saved before the source is asked.
BINDING = "SAVEPOINT", "SAVEPOINT", "INSERT attribution", "RELEASE", "RELEASE", "UPDATE identity"
ACCOUNTS_AGAIN = "UPDATE account", "SAVEPOINT", "SELECT identity", "RELEASE"


def accounts() -> tuple[str, ...]:
    return ACCOUNTS_ON_POSTGRESQL if connection.vendor == "postgresql" else ACCOUNTS


@pytest.fixture
def answering() -> Iterator[Any]:
    """Sets the request that is being answered."""
    resets = []

    def answer(found: Any) -> None:
        resets.append(attribution.current.set(found))

    yield answer
    for reset in reversed(resets):
        attribution.current.reset(reset)


def test_a_customer_created_in_a_request_is_bound_to_its_click(answering: Any) -> None:
    clicked = click("b", path="/pricing/", link_host="get.site.example", unread_key="")
    answering(came_by(clicked, click("a", "partner-a")))
    shop = account()
    found = bound()
    assert (found.customer_key, found.mode, found.method) == (key_of(shop), "test", "cookie")
    assert (found.source, found.source_pk) == ("shop.account", str(shop.pk))
    assert (found.click_id, found.partner_key, found.landing_path) == ("b", "troycooper1364", "/pricing/")
    assert (found.clicked_at, found.link_host, found.reason) == (clicked.at, "get.site.example", "")
    assert [earlier["click_id"] for earlier in found.earlier_clicks] == ["a"]


def test_a_customer_created_in_a_request_without_a_click_is_organic(answering: Any) -> None:
    answering(request())
    account()
    assert (bound().method, bound().click_id, bound().partner_key) == ("", "", "")
    assert bound().reason == (
        "The visitor did not come by a partner's link, or the click was lost or is too old."
    )


def test_outside_a_request_nothing_is_decided_and_a_sign_up_costs_one_insert(
    django_assert_num_queries: Any,
) -> None:
    with django_assert_num_queries(len(accounts())):
        account()
    assert not Attribution.objects.exists()


def test_in_a_request_a_sign_up_costs_one_insert_and_one_update_more(
    answering: Any, django_assert_num_queries: Any
) -> None:
    answering(came_by(click()))
    with django_assert_num_queries(len(accounts()) + len(BINDING)):
        account()


def test_saving_a_customer_again_costs_no_query_of_attributions(
    answering: Any, django_assert_num_queries: Any
) -> None:
    shop = account()
    answering(came_by(click()))
    with django_assert_num_queries(len(ACCOUNTS_AGAIN)):
        shop.save()
    assert not Attribution.objects.exists()


def test_a_site_can_report_a_sign_up_with_its_request() -> None:
    shop = account()
    track.signup(shop, request=came_by(click()))
    assert (bound().customer_key, bound().click_id) == (key_of(shop), CLICK)


def test_a_token_counts_with_and_without_a_request() -> None:
    token = attribution.token(came_by(click()))
    for shop, options in ((account(), {"request": request()}), (account(), {})):
        track.signup(shop, token=token, **options)
        assert Attribution.objects.get(customer_key=key_of(shop)).method == "token"


def test_the_first_click_stays(answering: Any) -> None:
    answering(came_by(click("first")))
    shop = account()
    track.signup(shop, request=came_by(click("second")))
    assert bound().click_id == "first"


def test_a_click_after_the_sign_up_does_not_count(answering: Any) -> None:
    answering(request())
    shop = account()
    track.signup(shop, request=request(link()))
    track.signup(shop, request=came_by(click(at=datetime.now(timezone.utc) + timedelta(seconds=2))))
    assert (bound().click_id, bound().partner_key) == ("", "")


def test_a_click_before_the_sign_up_still_counts_if_no_click_was_known_then(answering: Any) -> None:
    answering(request())
    shop, now = account(), datetime.now(timezone.utc)
    Attribution.objects.update(bound_at=now - timedelta(hours=2))
    later, before = click("later", at=now - timedelta(hours=1)), click("before", at=now - timedelta(hours=3))
    track.signup(shop, token=attribution.token(came_by(later, before)))
    assert (bound().method, bound().click_id, bound().reason) == ("token", "before", "")
    track.signup(shop, request=came_by(click("another", at=now - timedelta(hours=4))))
    assert bound().click_id == "before"


def test_a_partner_that_an_operator_assigned_stays(answering: Any) -> None:
    shop = account()
    track.assign(key_of(shop), "partner-a", by="ada")
    track.signup(shop, request=came_by(click()))
    assert (bound().method, bound().partner_key, bound().reason) == ("hand", "partner-a", "Assigned by ada.")


def test_a_rollback_undoes_the_binding(answering: Any) -> None:
    answering(came_by(click()))
    with transaction.atomic():
        account()
        assert Attribution.objects.exists()
        transaction.set_rollback(True)
    assert not Attribution.objects.exists()


def test_a_customer_that_is_not_reported_yet_is_bound_to_its_click(
    answering: Any, monkeypatch: Any, site: ConvertingSite
) -> None:
    report = sources.customers[Account]
    monkeypatch.setitem(sources.customers, Account, lambda shop: sources.Skipped("Not confirmed."))
    answering(came_by(click(site.sandbox.click("gstest"), "gstest")))
    shop = account()
    monkeypatch.setitem(sources.customers, Account, report)
    answering(None)
    shop.save()
    site.push_for(minutes=1)
    assert [each["customer_key"] for each in site.sandbox.objects("customers")] == [key_of(shop)]


def test_a_source_that_fails_at_the_sign_up_does_not_cost_the_click(
    answering: Any, monkeypatch: pytest.MonkeyPatch, site: ConvertingSite
) -> None:
    def fails(shop: Account) -> sources.CustomerData:
        [account] = Account.objects.raw("SELECT id FROM missing")
        return sources.CustomerData(email=account.email)

    answering(came_by(click("", "gstest")))
    with monkeypatch.context() as patch:
        patch.setitem(sources.customers, Account, fails)
        with transaction.atomic():
            shop = account()
    assert not messages()
    shop.save()
    site.push()
    assert customer(shop).partner_key == "gstest"


def test_a_customer_created_in_the_admin_is_not_bound_to_a_click_of_staff(answering: Any) -> None:
    found = came_by(click())
    found.resolver_match = resolve("/admin/shop/account/add/")
    answering(found)
    account()
    assert (bound().click_id, bound().partner_key, bound().reason) == ("", "", "Created in the admin.")


def test_each_mode_has_its_own_attributions() -> None:
    shop = account()
    track.signup(shop, request=came_by(click()))
    with override_settings(PARTNERSTACK_MODE="production"):
        track.signup(shop, request=came_by(click("live")))
    assert dict(Attribution.objects.values_list("mode", "click_id")) == {"test": CLICK, "production": "live"}


def test_the_visit_is_stored_only_with_full_privacy_setting() -> None:
    found = came_by(click(), REMOTE_ADDR="192.0.2.7", HTTP_USER_AGENT="Browser/1.0")
    for privacy in ("contact", "hashed", "none", "full"):
        shop = account()
        with override_settings(PARTNERSTACK_PRIVACY=privacy):
            track.signup(shop, request=found)
    stored = list(Attribution.objects.order_by("pk").values_list("visit", flat=True))
    assert stored[:3] == [{}, {}, {}]
    assert stored[3] == {
        "origin": "http://testserver/", "ip_address": "192.0.2.7", "user_agent": "Browser/1.0"
    }  # fmt: skip


@override_settings(PARTNERSTACK_PRIVACY="full")
def test_a_browser_without_valid_headers_is_not_an_error() -> None:
    found = came_by(click(), REMOTE_ADDR="", HTTP_USER_AGENT="a\0b")
    track.signup(account(), request=found)
    assert bound().visit == {"origin": "http://testserver/"}


@override_settings(PARTNERSTACK_PRIVACY="full", PARTNERSTACK_TRUSTED_PROXY_COUNT=1)
def test_behind_a_proxy_the_address_is_the_visitors() -> None:
    found = came_by(click(), REMOTE_ADDR="10.0.0.1", HTTP_X_FORWARDED_FOR="6.6.6.6, 203.0.113.7")
    track.signup(account(), request=found)
    assert bound().visit["ip_address"] == "203.0.113.7"


@override_settings(PARTNERSTACK_PRIVACY="full", ALLOWED_HOSTS=["testserver"])
def test_a_host_that_the_site_does_not_serve_does_not_cost_the_click() -> None:
    track.signup(account(), request=came_by(click(), HTTP_HOST="evil.example"))
    assert (bound().click_id, "origin" in bound().visit) == (CLICK, False)


@override_settings(PARTNERSTACK_PRIVACY="full")
def test_a_visit_without_a_click_is_not_stored() -> None:
    track.signup(account(), request=request())
    assert bound().visit == {}


def test_earlier_clicks_have_their_times_if_they_are_known() -> None:
    browser = came_by(click("b"), click("a", at_is_known=False))
    track.signup(account(), request=browser)
    [earlier] = bound().earlier_clicks
    assert (earlier["click_id"], earlier["at"]) == ("a", "")
    assert set(earlier) == {"click_id", "partner_key", "unread_key", "link_host", "path", "at"}


def test_with_partnerstacks_cookies_the_time_of_the_click_is_unknown() -> None:
    track.signup(account(), request=request(cookies={"ps_xid": CLICK}))
    assert (bound().method, bound().click_id, bound().clicked_at) == ("partnerstack", CLICK, None)


@override_settings(PARTNERSTACK_PRIVACY="full")
def test_the_longest_possible_click_fits() -> None:
    clicked = click("x" * 64, "é" * 255, unread_key="", link_host="h" * 240, path="ы" * 255)
    found = came_by(clicked, click("y" * 64, "ü" * 255, path="ы" * 255), HTTP_USER_AGENT="b" * 5000)
    track.signup(account(), request=found)
    assert (bound().click_id, bound().partner_key) == ("x" * 64, "é" * 255)


@pytest.mark.django_db(transaction=True)
def test_only_one_of_concurrent_sign_ups_decides() -> None:
    shop, start, changed = account(), threading.Barrier(4), []

    def decide(number: int) -> None:
        start.wait()
        try:
            changed.append(attribution.bind(key_of(shop), came_by(click(f"c{number}")), mode="test"))
        finally:
            connection.close()

    threads = [threading.Thread(target=decide, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(changed) == [False, False, False, True]
    assert Attribution.objects.count() == 1


@pytest.fixture
def no_table(transactional_db: None) -> Iterator[None]:
    """The site was deployed before migrate was run."""
    with connection.schema_editor() as editor:
        editor.alter_db_table(Attribution, Attribution._meta.db_table, "elsewhere")
    yield
    with connection.schema_editor() as editor:
        editor.alter_db_table(Attribution, "elsewhere", Attribution._meta.db_table)


def test_a_sign_up_succeeds_and_is_queued_without_the_attribution_table(
    no_table: None, answering: Any, caplog: Any
) -> None:
    answering(came_by(click()))
    with transaction.atomic():
        shop = account()
        track.signup(shop, request=came_by(click()))
    assert Account.objects.exists()
    assert [each.subject for each in messages()] == [key_of(shop)]
    assert f"The attribution of shop.Account {shop.pk} could not be saved." in caplog.text


def test_a_strict_site_gets_the_error(no_table: None) -> None:
    shop = account()
    with override_settings(PARTNERSTACK_STRICT=True), pytest.raises(DatabaseError):
        track.signup(shop, request=came_by(click()))


@pytest.fixture
def locked(transactional_db: None) -> Iterator[None]:
    """Another connection locks the attribution table, and the database does not wait long for locks."""
    with connection.cursor() as cursor:
        waiting = {"postgresql": "SET lock_timeout = '100ms'", "mysql": "SET lock_wait_timeout = 1"}
        cursor.execute(waiting[connection.vendor])
    is_locked, done = threading.Event(), threading.Event()
    thread = threading.Thread(target=lock_table, args=(is_locked, done))
    thread.start()
    assert is_locked.wait(10)
    yield
    done.set()
    thread.join()
    connection.close()


def lock_table(is_locked: threading.Event, done: threading.Event) -> None:
    table = connection.ops.quote_name(Attribution._meta.db_table)
    with transaction.atomic(), connection.cursor() as cursor:
        mysql = connection.vendor == "mysql"
        cursor.execute(f"LOCK TABLES {table} WRITE" if mysql else f"LOCK TABLE {table}")
        is_locked.set()
        done.wait(20)
        if mysql:
            cursor.execute("UNLOCK TABLES")
    connection.close()


@pytest.mark.skipif("connection.vendor == 'sqlite'", reason="SQLite would lock the host's own tables, too")
def test_a_sign_up_succeeds_and_is_queued_while_the_attribution_table_is_locked(
    locked: None, answering: Any, caplog: Any
) -> None:
    answering(came_by(click()))
    with transaction.atomic():
        account()
    assert (Account.objects.count(), OutboxMessage.objects.count()) == (1, 1)
    assert "could not be saved" in caplog.text


def test_a_partner_that_was_changed_at_partnerstack_does_not_replace_the_click(site: ConvertingSite) -> None:
    shop = account()
    track.signup(shop, request=came_by(click("", "gstest")))
    site.push_for(minutes=1)
    site.sandbox.change("customers", key_of(shop), partner_key="another")
    shop.name = "Changed"
    shop.save()
    site.push_for(minutes=1)
    assert (bound().partner_key, customer(shop).partner_key) == ("gstest", "another")
