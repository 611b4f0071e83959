"""What a person can do with a message."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import transaction

from django_partnerstack import track
from django_partnerstack.exceptions import InvalidTransition
from django_partnerstack.models import OutboxMessage
from django_partnerstack.outbox.control import actions
from django_partnerstack.outbox.queue.claim import claim
from tests.outbox.site import Site, account, lane_of, message, messages, payment, states
from tests.shop.models import Account

pytestmark = pytest.mark.django_db

ACTS = {
    "retry": actions.retry,
    "hold": actions.hold,
    "release": actions.release,
    "cancel": actions.cancel,
    "mark_delivered": actions.mark_delivered,
}
#: What an act makes of a payment in a state, of a customer whom PartnerStack has.
BECOMES = {
    "new": {"retry": "ready", "hold": "held", "cancel": "cancelled"},
    "ready": {"retry": "ready", "hold": "held", "cancel": "cancelled"},
    "unknown": {"retry": "unknown", "hold": "held", "cancel": "cancelled", "mark_delivered": "delivered"},
    "held": {"release": "ready", "cancel": "cancelled", "mark_delivered": "delivered"},
    "dead": {"retry": "ready", "cancel": "cancelled", "mark_delivered": "delivered"},
    "blocked": {"hold": "held", "cancel": "cancelled"},
    "organic": {"hold": "held", "cancel": "cancelled"},
    "sending": {},
    "delivered": {},
    "cancelled": {},
}


@pytest.fixture
def shop(site: Site) -> Account:
    shop = account()
    site.push()
    return shop


@pytest.mark.parametrize("act", ACTS)
@pytest.mark.parametrize("state", BECOMES)
def test_what_an_act_makes_of_a_state(site: Site, shop: Account, state: str, act: str) -> None:
    payment(shop)
    in_doubt = site.clock.at if state == "unknown" else None
    OutboxMessage.objects.filter(operation="transactions.create").update(state=state, in_doubt_since=in_doubt)
    if act in BECOMES[state]:
        ACTS[act](message("transactions.create"))
        assert message("transactions.create").state == BECOMES[state][act]
    else:
        with pytest.raises(InvalidTransition, match="this action is not possible now"):
            ACTS[act](message("transactions.create"))
        assert message("transactions.create").state == state


def test_a_held_payment_leaves_only_when_it_is_released(site: Site, shop: Account) -> None:
    payment(shop)
    actions.hold(message("transactions.create"))
    site.push_for(days=1)
    assert "POST /transactions" not in site.sent
    actions.release(message("transactions.create"))
    site.push()
    assert message("transactions.create").state == "delivered"


def test_holding_a_customer_holds_all_that_is_its(site: Site) -> None:
    shop = account()
    payment(shop)
    actions.hold(message("customers.save"))
    site.push()
    assert (site.sent, lane_of(shop).status) == ([], "blocked")
    assert set(states().values()) == {"held", "blocked"}
    actions.release(message("customers.create"))
    site.push()
    assert set(states().values()) == {"delivered"}


def test_cancelling_a_customer_leaves_what_is_its_blocked(site: Site) -> None:
    payment(account())
    actions.cancel(message("customers.save"))
    site.push()
    assert (site.sent, message("transactions.create").state) == ([], "blocked")
    assert message("transactions.create").reason


def test_a_customer_that_is_marked_as_delivered_lets_the_rest_go(site: Site) -> None:
    shop = account()
    payment(shop)
    site.sandbox.create("customers", customer_key=f"account-{shop.pk}")
    actions.hold(message("customers.save"))
    actions.mark_delivered(message("customers.create"))
    site.push()
    assert site.sent == ["POST /transactions"]


def test_what_may_have_been_done_is_looked_up_before_a_retry_sends_it(site: Site, shop: Account) -> None:
    payment(shop)
    site.sandbox.faults.add("lost", method="POST", times=1)
    site.push()
    OutboxMessage.objects.filter(state="unknown").update(state="dead")
    actions.retry(message("transactions.create"))
    site.push()
    assert message("transactions.create").state == "delivered"
    assert site.sent.count("POST /transactions") == 1


def test_an_event_in_doubt_is_sent_again_only_when_a_person_releases_it(site: Site, shop: Account) -> None:
    track.event(shop, "demo", key="demo-1")
    site.sandbox.faults.add("lost", method="POST", times=1)
    site.push()
    OutboxMessage.objects.filter(state="held").update(state="dead")
    actions.retry(message("actions.create"))
    site.push()
    assert message("actions.create").state == "held"
    assert site.effects("actions.create") == {"demo-1": 1}
    actions.release(message("actions.create"))
    site.push()
    assert site.effects("actions.create") == {"demo-1": 2}


@pytest.mark.parametrize("act", [actions.hold, actions.cancel])
def test_setting_an_organic_customer_aside_hinders_nobody(
    site: Site, act: Callable[[OutboxMessage], None]
) -> None:
    shop = account(partner_key="")
    site.push()
    organic = message("customers.create")
    shop.partner_key = "gstest"
    shop.save()
    payment(shop)
    act(organic)
    site.push()
    assert message("transactions.create").state == "delivered"
    if act is actions.hold:
        actions.release(organic)
        site.push()
        assert (organic.state, lane_of(shop).status) == ("organic", "open")


def test_older_data_are_not_told_after_newer_ones(site: Site, shop: Account) -> None:
    for email in ("b@customers.example", "c@customers.example"):
        shop.email = email
        shop.save()
    older, _ = messages("customers.save")
    actions.hold(older)
    site.push()
    actions.release(older)
    site.push()
    assert (older.state, older.reason) == ("cancelled", "Replaced by newer data.")
    assert site.sandbox.objects("customers")[0]["email"] == "c@customers.example"


def test_releasing_a_deletion_does_not_overtake_its_payment(site: Site, shop: Account) -> None:
    track.purchase(shop, amount=4900, currency="USD", key="inv_1")
    actions.hold(message("transactions.create"))
    track.refund("inv_1")
    actions.hold(message("transactions.delete"))
    actions.release(message("transactions.delete"))
    site.push()
    assert message("transactions.delete").state == "blocked"


def test_an_organic_customer_that_was_held_takes_its_payments_along(site: Site) -> None:
    shop = account(partner_key="")
    paid = payment(shop)
    site.push()
    actions.hold(message("customers.create"))
    track.assign(f"account-{shop.pk}", "gstest", by="ada")
    actions.release(message("customers.create"))
    site.push()
    assert site.effects("transactions.create") == {f"payment-{paid.pk}": 1}


def test_a_deletion_does_not_overtake_a_payment_that_was_held_while_it_was_organic(site: Site) -> None:
    shop = account(partner_key="")
    track.purchase(shop, amount=4900, currency="USD", key="inv_1")
    track.refund("inv_1")
    site.push()
    actions.hold(message("transactions.create"))
    track.assign(f"account-{shop.pk}", "gstest", by="ada")
    site.push()
    assert message("transactions.delete").state == "blocked"
    actions.release(message("transactions.create"))
    site.push_for(hours=1)
    assert site.sandbox.objects("transactions") == []
    assert message("transactions.delete").state == "delivered"


def test_letting_a_customer_go_does_not_let_go_what_waits_for_something_else(site: Site) -> None:
    shop = account()
    track.purchase(shop, amount=4900, currency="USD", key="inv_1")
    track.refund("inv_1", amount=900)
    actions.hold(messages("customers.save")[0])
    actions.hold(message("transactions.delete"))
    actions.release(message("customers.create"))
    site.push()
    assert [each.state for each in messages(subject="inv_1")] == ["delivered", "held", "blocked"]


def test_what_is_released_behind_a_held_customer_waits_and_says_so(site: Site) -> None:
    payment(account())
    actions.hold(message("transactions.create"))
    actions.hold(message("customers.create"))
    actions.release(message("transactions.create"))
    assert message("transactions.create").state == "blocked"
    assert message("transactions.create").reason.startswith("Depends on an earlier message that failed")


def test_releasing_an_organic_payment_lets_its_refund_go_no_further(site: Site) -> None:
    shop = account(partner_key="")
    track.purchase(shop, amount=4900, currency="USD", key="inv_1")
    actions.hold(message("transactions.create"))
    track.refund("inv_1")
    site.push()
    actions.release(message("transactions.create"))
    assert {each.state for each in messages(subject="inv_1")} == {"organic"}
    shop.partner_key = "gstest"
    shop.save()
    site.push()
    assert {each.state for each in messages(subject="inv_1")} == {"delivered"}


def test_an_act_on_a_message_behind_many_new_ones(site: Site, shop: Account) -> None:
    rows = [
        OutboxMessage(mode="test", lane=f"x:{each}", operation="x", payload={}, queued_at=site.clock.at)
        for each in range(600)
    ]
    OutboxMessage.objects.bulk_create(rows)
    payment(shop)
    actions.hold(message("transactions.create"))
    assert message("transactions.create").state == "held"


def test_a_message_of_no_known_operation_can_be_cancelled(site: Site) -> None:
    unknown = OutboxMessage.objects.create(
        mode="test", lane="partnership:x", operation="rewards.steal", payload={}, queued_at=site.clock.at
    )
    site.push()
    actions.retry(unknown)
    actions.cancel(unknown)
    assert unknown.state == "cancelled"


@pytest.mark.django_db(transaction=True)
def test_an_act_works_inside_a_request_that_is_one_transaction() -> None:
    payment(account())
    with transaction.atomic():
        actions.hold(message("transactions.create"))
    assert message("transactions.create").state == "held"


def test_a_lane_that_rests_is_not_woken_for_nothing(site: Site) -> None:
    shop = account(partner_key="")
    payment(shop)
    site.push()
    actions.hold(message("transactions.create"))
    assert lane_of(shop).due_at is None


def test_the_other_messages_of_a_lane_wait_while_one_is_sent(site: Site, shop: Account) -> None:
    payment(shop)
    second: Any = payment(shop)
    [claimed] = claim(site.worker.throttle, site.worker.delivered, 8, lease=site.worker.lease).claimed
    actions.retry(message("transactions.create", source_pk=str(second.pk)))
    assert claim(site.worker.throttle, site.worker.delivered, 8, lease=site.worker.lease).claimed == ()
    assert claimed.message.state == "sending"
