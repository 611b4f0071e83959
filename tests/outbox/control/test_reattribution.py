"""A customer is attributed late: its click becomes known, or an operator assigns a partner."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.test import override_settings

from django_partnerstack import track
from django_partnerstack.exceptions import AlreadyReported, InvalidArgument, InvalidTransition
from django_partnerstack.models import Attribution
from django_partnerstack.outbox.control import actions
from django_partnerstack.outbox.control.reattribution import apply_late_attribution
from django_partnerstack.outbox.queue.new_message import customer_lane
from django_partnerstack.outbox.queue.sequencing.sequence import sequence_new_messages
from django_partnerstack.sandbox import TEST_TRACKING_TOKEN
from django_partnerstack.signals import message_queued
from tests.attribution.clicks import account, came_by, click, customer, key_of
from tests.attribution.converting import ConvertingSite
from tests.outbox.site import message, messages, payment, states
from tests.shop.models import Account

pytestmark = pytest.mark.django_db


@pytest.fixture
def site() -> ConvertingSite:
    return ConvertingSite()


def at_partnerstack(site: ConvertingSite, shop: Account) -> str:
    """The partner that PartnerStack has for the customer."""
    site.push_for(minutes=1)
    [found] = site.sandbox.objects("customers")
    assert found["customer_key"] == key_of(shop)
    return found["partner_key"]


def assign(shop: Account, partner_key: str = "gstest") -> None:
    track.assign(key_of(shop), partner_key, by="ada")


def test_a_late_click_attributes_an_organic_customer_and_its_payments(site: ConvertingSite) -> None:
    shop = account()
    paid = payment(shop)
    site.push()
    assert site.sent == []
    assert track.signup(shop, request=came_by(click("", "gstest")))
    assert at_partnerstack(site, shop) == "gstest"
    assert site.effects("transactions.create") == {f"payment-{paid.pk}": 1}


def test_a_late_click_attributes_its_customer_although_others_have_partners(site: ConvertingSite) -> None:
    other = account(partner_key="gstest", email="b@customers.example")
    shop = account()
    site.push()
    assert track.signup(shop, request=came_by(click("", "gstest")))
    site.push_for(minutes=1)
    customers = {each["customer_key"]: each["partner_key"] for each in site.sandbox.objects("customers")}
    assert customers == {key_of(other): "gstest", key_of(shop): "gstest"}


def test_a_late_click_is_applied_once(site: ConvertingSite) -> None:
    shop = account()
    site.push()
    assert track.signup(shop, request=came_by(click("", "gstest")))
    site.push()
    assert not track.signup(shop, request=came_by(click("", "another")))
    assert not apply_late_attribution(key_of(shop), mode="test")


def test_workers_are_notified_of_a_late_click_after_the_commit(
    site: ConvertingSite, django_capture_on_commit_callbacks: object
) -> None:
    shop, notified = account(), []
    site.push()

    def wake(lane: str, **kwargs: object) -> None:
        notified.append(lane)

    message_queued.connect(wake)
    try:
        with django_capture_on_commit_callbacks(execute=True):  # type: ignore[operator]
            track.signup(shop, request=came_by(click("", "gstest")))
            assert notified == []
    finally:
        message_queued.disconnect(wake)
    assert notified == [customer_lane(key_of(shop))]


def test_a_customer_that_a_worker_found_organic_while_its_click_was_being_saved_is_sequenced_again(
    site: ConvertingSite, django_capture_on_commit_callbacks: object
) -> None:
    shop = account()
    with django_capture_on_commit_callbacks(execute=True):  # type: ignore[operator]
        track.signup(shop, request=came_by(click("", "gstest")))
        # The worker does not see what is not committed.
        clicked = list(Attribution.objects.all())
        Attribution.objects.all().delete()
        site.push()
        assert message("customers.create").state == "organic"
        Attribution.objects.bulk_create(clicked)
    site.push()
    assert message("customers.create").state == "delivered"


def test_an_operator_assigns_an_organic_customer(site: ConvertingSite) -> None:
    shop = account()
    site.push()
    assign(shop)
    assert at_partnerstack(site, shop) == "gstest"


def test_an_operator_assigns_a_customer_before_it_is_queued(site: ConvertingSite) -> None:
    assign(Account(pk=7))
    shop = account(pk=7)
    assert at_partnerstack(site, shop) == "gstest"


@pytest.mark.parametrize("partner_key", ["", "a\nb", "k" * 256])
def test_an_impossible_partner_key_is_refused(partner_key: str) -> None:
    with pytest.raises(InvalidArgument, match="partner key"):
        assign(account(), partner_key)


def test_an_operator_changes_an_assignment(site: ConvertingSite) -> None:
    shop = account()
    assign(shop, "first")
    assign(shop)
    assert at_partnerstack(site, shop) == "gstest"
    assert Attribution.objects.get().partner_key == "gstest"


def test_an_operator_changes_an_assignment_of_a_customer_with_several_organic_data(
    site: ConvertingSite,
) -> None:
    shop = account()
    site.push()
    shop.email = "new@customers.example"
    shop.save()
    site.push()
    assign(shop, "first")
    site.sandbox.faults.add("status", status=429, times=1)
    site.push()
    assign(shop)
    assert at_partnerstack(site, shop) == "gstest"
    assert site.sandbox.objects("customers")[0]["email"] == "new@customers.example"


def test_a_late_click_of_a_reported_customer_does_not_send_older_data(site: ConvertingSite) -> None:
    shop = account()
    Attribution.objects.all().delete()
    site.push()
    shop.partner_key, shop.email = "gstest", "new@customers.example"
    shop.save()
    assert at_partnerstack(site, shop) == "gstest"
    assert not track.signup(shop, request=came_by(click("", "another")))
    site.push()
    assert site.sandbox.objects("customers")[0]["email"] == "new@customers.example"


def sign_up(shop: Account) -> None:
    track.signup(shop, request=came_by(click("", "gstest")))


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif("connection.vendor == 'sqlite'", reason="SQLite lets one transaction in at a time")
@pytest.mark.parametrize("decide", [assign, sign_up])
def test_an_attribution_saved_while_a_worker_sequences_the_customer_is_applied(
    site: ConvertingSite, decide: Callable[[Account], None]
) -> None:
    shop = account()

    def elsewhere() -> None:
        decide(shop)
        connection.close()

    thread = threading.Thread(target=elsewhere)
    with site.worker.throttle.locked() as row:
        sequence_new_messages("test", "default", row.now)
        thread.start()
        thread.join(0.5)
    thread.join()
    assert at_partnerstack(site, shop) == "gstest"


def test_an_operator_corrects_a_partner_that_partnerstack_refused(site: ConvertingSite) -> None:
    shop = account()
    paid = payment(shop)
    track.signup(shop, request=came_by(click("", "nobody")))
    site.push_for(hours=3)
    assert message("customers.create").state == "dead"
    assign(shop)
    assert at_partnerstack(site, shop) == "gstest"
    assert site.effects("transactions.create") == {f"payment-{paid.pk}": 1}
    assert customer(shop).partner_key == "gstest"


def test_what_is_queued_again_is_about_the_same_objects(site: ConvertingSite) -> None:
    shop = account()
    track.signup(shop, request=came_by(click("", "nobody")))
    site.push_for(hours=3)
    refused = message("customers.create")
    assign(shop)
    again = message("customers.save")
    same = (
        "mode",
        "lane",
        "subject",
        "source",
        "source_pk",
        "namespace",
        "customer_source",
        "customer_source_pk",
    )
    assert {name: getattr(again, name) for name in same} == {name: getattr(refused, name) for name in same}
    assert (again.source, again.customer_source) == ("shop.account", "shop.account")
    assert again.payload == refused.payload


def test_data_queued_after_a_refusal_are_not_lost(site: ConvertingSite) -> None:
    shop = account()
    track.signup(shop, request=came_by(click("", "nobody")))
    site.push_for(hours=3)
    Attribution.objects.update(partner_key="")
    shop.name = "Newer"
    shop.save()
    site.push()
    assert message("customers.update").state == "blocked"
    assign(shop)
    assert at_partnerstack(site, shop) == "gstest"
    assert site.sandbox.objects("customers")[0]["name"] == "Newer"


def test_queued_newer_data_get_the_assigned_partner(site: ConvertingSite) -> None:
    shop = account()
    track.signup(shop, request=came_by(click("", "nobody")))
    site.push_for(hours=3)
    shop.name = "Newer"
    shop.save()
    assign(shop)
    assert at_partnerstack(site, shop) == "gstest"
    assert len(messages(operation__in=("customers.create", "customers.update"))) == 2


def test_an_operator_assigns_a_scheduled_customer(site: ConvertingSite) -> None:
    shop = account()
    track.signup(shop, request=came_by(click("", "another")))
    site.sandbox.faults.add("status", status=429, times=1)
    site.push()
    assert message("customers.create").state == "ready"
    assign(shop)
    assert at_partnerstack(site, shop) == "gstest"


def test_an_operator_assigns_a_customer_on_hold(site: ConvertingSite) -> None:
    shop = account()
    track.signup(shop, request=came_by(click("", "another")))
    actions.hold(message("customers.save"))
    assign(shop)
    actions.release(message("customers.create"))
    assert at_partnerstack(site, shop) == "gstest"


def test_a_cancelled_customer_stays_cancelled(site: ConvertingSite) -> None:
    shop = account()
    track.signup(shop, request=came_by(click("", "another")))
    actions.cancel(message("customers.save"))
    assign(shop)
    site.push()
    assert site.sent == []


def test_a_reported_customer_is_not_moved(site: ConvertingSite) -> None:
    shop = account(partner_key="gstest")
    site.push()
    with pytest.raises(AlreadyReported, match=f"PartnerStack has {key_of(shop)} already"):
        assign(shop, "another")
    assert not Attribution.objects.exists()


def test_the_partner_that_partnerstack_has_may_be_assigned_again(site: ConvertingSite) -> None:
    shop = account(partner_key="gstest")
    site.push()
    assign(shop)
    assert site.push() == {}
    assert Attribution.objects.get().partner_key == "gstest"


def test_an_unconfirmed_customer_is_not_moved(site: ConvertingSite) -> None:
    shop = account(partner_key="nobody-yet")
    site.sandbox.faults.add("reset", times=3)
    site.push(limit=1)
    assert message("customers.create").state == "unknown"
    with pytest.raises(InvalidTransition, match="try again when that is known"), transaction.atomic():
        assign(shop)
    assert not Attribution.objects.exists()


@override_settings(PARTNERSTACK_TRACKING_TOKEN=TEST_TRACKING_TOKEN)
def test_an_operator_corrects_a_click_that_partnerstack_does_not_know(site: ConvertingSite) -> None:
    shop = account()
    track.signup(shop, request=came_by(click("UnknownClick00", "")))
    payment(shop)
    site.push_for(hours=12)
    assert message("conversions.create").state == "dead"
    assign(shop)
    assert at_partnerstack(site, shop) == "gstest"
    site.clock.at += timedelta(minutes=1)
    site.push_for(minutes=1)
    assert set(states().values()) == {"delivered"}
    assert len(messages("transactions.create", state="delivered")) == 1
