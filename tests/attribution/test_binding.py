"""Who sent a customer is decided once, when the customer is made."""

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

ACCOUNTS = "INSERT account", "SAVEPOINT", "INSERT message", "RELEASE"


@pytest.fixture
def answering() -> Iterator[Any]:
    """Makes a request the one that is being answered."""
    resets = []

    def answer(found: Any) -> None:
        resets.append(attribution.current.set(found))

    yield answer
    for reset in reversed(resets):
        attribution.current.reset(reset)


def test_a_customer_made_in_a_request_came_by_its_click(answering: Any) -> None:
    made = click("b", path="/pricing/", link_host="get.site.example", unread_key="")
    answering(came_by(made, click("a", "partner-a")))
    shop = account()
    found = bound()
    assert (found.customer_key, found.mode, found.method) == (key_of(shop), "test", "cookie")
    assert (found.source, found.source_pk) == ("shop.account", str(shop.pk))
    assert (found.click_id, found.partner_key, found.landing_path) == ("b", "troycooper1364", "/pricing/")
    assert (found.clicked_at, found.link_host, found.reason) == (made.at, "get.site.example", "")
    assert [earlier["click_id"] for earlier in found.earlier_clicks] == ["a"]


def test_a_customer_made_in_a_request_without_a_click_came_by_none(answering: Any) -> None:
    answering(request())
    account()
    assert (bound().method, bound().is_organic) == ("", True)
    assert bound().reason == "The visitor brought no click: none was made, or it was lost or is too old."


def test_outside_of_a_request_nothing_is_decided_and_it_costs_one_insert(
    django_assert_num_queries: Any,
) -> None:
    with django_assert_num_queries(len(ACCOUNTS)):
        account()
    assert not Attribution.objects.exists()


def test_in_a_request_it_costs_two(answering: Any, django_assert_num_queries: Any) -> None:
    answering(came_by(click()))
    with django_assert_num_queries(len(ACCOUNTS) + 3):
        account()


def test_a_customer_that_is_saved_again_costs_no_look_at_it(
    answering: Any, django_assert_num_queries: Any
) -> None:
    shop = account()
    answering(came_by(click()))
    with django_assert_num_queries(len(ACCOUNTS)):
        shop.save()
    assert not Attribution.objects.exists()


def test_the_site_says_that_it_is_a_sign_up() -> None:
    shop = account()
    track.signup(shop, request=came_by(click()))
    assert (bound().customer_key, bound().click_id) == (key_of(shop), CLICK)


def test_a_token_is_bound_with_and_without_a_request() -> None:
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
    assert bound().is_organic


def test_a_click_before_the_sign_up_still_counts_if_none_was_known_then(answering: Any) -> None:
    answering(request())
    shop = account()
    later = click("later", at=datetime.now(timezone.utc) + timedelta(seconds=2))
    track.signup(shop, token=attribution.token(came_by(later, click("before"))))
    assert (bound().method, bound().click_id, bound().reason) == ("token", "before", "")
    track.signup(shop, request=came_by(click("another")))
    assert bound().click_id == "before"


def test_a_partner_that_a_person_chose_stays(answering: Any) -> None:
    shop = account()
    track.assign(key_of(shop), "partner-a", by="ada")
    track.signup(shop, request=came_by(click()))
    assert (bound().method, bound().partner_key, bound().reason) == ("hand", "partner-a", "Assigned by ada.")


def test_a_rollback_takes_it_back(answering: Any) -> None:
    answering(came_by(click()))
    with transaction.atomic():
        account()
        assert Attribution.objects.exists()
        transaction.set_rollback(True)
    assert not Attribution.objects.exists()


def test_what_is_not_to_be_reported_yet_is_bound_all_the_same(
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


def test_what_staff_make_in_the_admin_is_not_credited_to_their_clicks(answering: Any) -> None:
    found = came_by(click())
    found.resolver_match = resolve("/admin/shop/account/add/")
    answering(found)
    account()
    assert (bound().is_organic, bound().reason) == (True, "Made in the admin.")


def test_each_mode_has_its_own() -> None:
    shop = account()
    track.signup(shop, request=came_by(click()))
    with override_settings(PARTNERSTACK_MODE="production"):
        track.signup(shop, request=came_by(click("live")))
    assert dict(Attribution.objects.values_list("mode", "click_id")) == {"test": CLICK, "production": "live"}


def test_the_visit_is_kept_only_if_the_site_tells_all() -> None:
    found = came_by(click(), REMOTE_ADDR="192.0.2.7", HTTP_USER_AGENT="Browser/1.0")
    for privacy in ("contact", "hashed", "none", "full"):
        shop = account()
        with override_settings(PARTNERSTACK_PRIVACY=privacy):
            track.signup(shop, request=found)
    kept = list(Attribution.objects.order_by("pk").values_list("visit", flat=True))
    assert kept[:3] == [{}, {}, {}]
    assert kept[3] == {
        "origin": "http://testserver/", "ip_address": "192.0.2.7", "user_agent": "Browser/1.0"
    }  # fmt: skip


@override_settings(PARTNERSTACK_PRIVACY="full")
def test_a_browser_that_says_nothing_or_nonsense_is_no_error() -> None:
    found = came_by(click(), REMOTE_ADDR="", HTTP_USER_AGENT="a\0b")
    track.signup(account(), request=found)
    assert bound().visit == {"origin": "http://testserver/"}


@override_settings(PARTNERSTACK_PRIVACY="full")
def test_the_visit_of_nobodys_click_is_not_kept() -> None:
    track.signup(account(), request=request())
    assert bound().visit == {}


def test_partnerstacks_own_cookies_say_not_when_it_was_clicked() -> None:
    track.signup(account(), request=request(cookies={"ps_xid": CLICK}))
    assert (bound().method, bound().click_id, bound().clicked_at) == ("partnerstack", CLICK, None)


@override_settings(PARTNERSTACK_PRIVACY="full")
def test_a_click_as_long_as_can_be_fits() -> None:
    made = click("x" * 64, "é" * 255, unread_key="", link_host="h" * 240, path="ы" * 255)
    found = came_by(made, click("y" * 64, "ü" * 255, path="ы" * 255), HTTP_USER_AGENT="b" * 5000)
    track.signup(account(), request=found)
    assert (bound().click_id, bound().partner_key) == ("x" * 64, "é" * 255)


@pytest.mark.django_db(transaction=True)
def test_two_who_decide_at_once_agree() -> None:
    shop, start, said = account(), threading.Barrier(4), []

    def decide(number: int) -> None:
        start.wait()
        try:
            said.append(attribution.bind(key_of(shop), came_by(click(f"c{number}")), mode="test"))
        finally:
            connection.close()

    threads = [threading.Thread(target=decide, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(said) == [False, False, False, True]
    assert Attribution.objects.count() == 1


@pytest.fixture
def no_table(transactional_db: None) -> Iterator[None]:
    """The site was deployed before it was migrated."""
    with connection.schema_editor() as editor:
        editor.alter_db_table(Attribution, Attribution._meta.db_table, "elsewhere")
    yield
    with connection.schema_editor() as editor:
        editor.alter_db_table(Attribution, "elsewhere", Attribution._meta.db_table)


def test_a_sign_up_goes_on_and_is_queued_without_our_table(
    no_table: None, answering: Any, caplog: Any
) -> None:
    answering(came_by(click()))
    with transaction.atomic():
        shop = account()
        track.signup(shop, request=came_by(click()))
    assert Account.objects.exists()
    assert [each.subject for each in messages()] == [key_of(shop)]
    assert f"The attribution of shop.Account {shop.pk} could not be saved." in caplog.text


def test_a_strict_site_is_told(no_table: None) -> None:
    shop = account()
    with override_settings(PARTNERSTACK_STRICT=True), pytest.raises(DatabaseError):
        track.signup(shop, request=came_by(click()))


@pytest.fixture
def locked(transactional_db: None) -> Iterator[None]:
    """Somebody else holds our table, and the database waits for nobody for long."""
    with connection.cursor() as cursor:
        waiting = {"postgresql": "SET lock_timeout = '100ms'", "mysql": "SET lock_wait_timeout = 1"}
        cursor.execute(waiting[connection.vendor])
    holding, done = threading.Event(), threading.Event()
    thread = threading.Thread(target=hold_table, args=(holding, done))
    thread.start()
    assert holding.wait(10)
    yield
    done.set()
    thread.join()
    connection.close()


def hold_table(holding: threading.Event, done: threading.Event) -> None:
    table = connection.ops.quote_name(Attribution._meta.db_table)
    with transaction.atomic(), connection.cursor() as cursor:
        mysql = connection.vendor == "mysql"
        cursor.execute(f"LOCK TABLES {table} WRITE" if mysql else f"LOCK TABLE {table}")
        holding.set()
        done.wait(20)
        if mysql:
            cursor.execute("UNLOCK TABLES")
    connection.close()


@pytest.mark.skipif("connection.vendor == 'sqlite'", reason="SQLite locks the host's own tables too")
def test_a_sign_up_goes_on_and_is_queued_while_our_table_is_locked(
    locked: None, answering: Any, caplog: Any
) -> None:
    answering(came_by(click()))
    with transaction.atomic():
        account()
    assert (Account.objects.count(), OutboxMessage.objects.count()) == (1, 1)
    assert "could not be written down" in caplog.text


def test_a_partner_that_was_changed_at_partnerstack_is_kept_beside_the_click(site: ConvertingSite) -> None:
    shop = account()
    track.signup(shop, request=came_by(click("", "gstest")))
    site.push_for(minutes=1)
    site.sandbox.change("customers", key_of(shop), partner_key="another")
    shop.name = "Changed"
    shop.save()
    site.push_for(minutes=1)
    assert (bound().partner_key, customer(shop).partner_key) == ("gstest", "another")
