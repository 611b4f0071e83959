"""What an operator can do with a message."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone

from django_partnerstack import track
from django_partnerstack.exceptions import InvalidTransition
from django_partnerstack.models import OutboxLane, OutboxMessage
from django_partnerstack.outbox.control import actions
from django_partnerstack.outbox.queue.claim import claim
from django_partnerstack.outbox.queue.retention import prune
from tests.outbox.site import Site, account, lane_of, message, messages, payment, states
from tests.shop.models import Account

pytestmark = pytest.mark.django_db

ACTIONS = {
    "retry": actions.retry,
    "hold": actions.hold,
    "release": actions.release,
    "cancel": actions.cancel,
    "mark_delivered": actions.mark_delivered,
}
#: The allowed actions by the state of a payment, each with the state after it.
RESULTS = {
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


@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize("state", RESULTS)
def test_each_action_is_allowed_in_certain_states(site: Site, shop: Account, state: str, action: str) -> None:
    payment(shop)
    in_doubt = site.clock.at if state == "unknown" else None
    OutboxMessage.objects.filter(operation="transactions.create").update(state=state, in_doubt_since=in_doubt)
    if action in RESULTS[state]:
        ACTIONS[action](message("transactions.create"))
        assert message("transactions.create").state == RESULTS[state][action]
    else:
        with pytest.raises(InvalidTransition, match="this action is not possible now"):
            ACTIONS[action](message("transactions.create"))
        assert message("transactions.create").state == state


def test_a_payment_on_hold_is_sent_only_after_its_release(site: Site, shop: Account) -> None:
    payment(shop)
    actions.hold(message("transactions.create"))
    site.push_for(days=1)
    assert "POST /transactions" not in site.sent
    actions.release(message("transactions.create"))
    site.push()
    assert message("transactions.create").state == "delivered"


def test_a_payment_that_failed_before_its_customer_was_reported_is_sent_with_it(site: Site) -> None:
    shop = account()
    payment(shop)
    OutboxLane.objects.create(mode="test", key=message("transactions.create").lane)
    OutboxMessage.objects.filter(operation="transactions.create").update(state="dead", reason="Too deep.")
    actions.retry(message("transactions.create"))
    retried = message("transactions.create")
    assert (retried.state, retried.reason) == ("new", "")
    site.push()
    assert message("transactions.create").state == "delivered"


def test_a_customer_on_hold_blocks_its_payments(site: Site) -> None:
    shop = account()
    payment(shop)
    actions.hold(message("customers.save"))
    site.push()
    assert (site.sent, lane_of(shop).status) == ([], "blocked")
    assert set(states().values()) == {"held", "blocked"}
    actions.release(message("customers.create"))
    site.push()
    assert set(states().values()) == {"delivered"}


def test_the_payments_of_a_cancelled_customer_stay_blocked(site: Site) -> None:
    payment(account())
    actions.cancel(message("customers.save"))
    site.push()
    assert (site.sent, message("transactions.create").state) == ([], "blocked")
    assert message("transactions.create").reason


def test_marking_a_customer_as_delivered_releases_its_payments(site: Site) -> None:
    shop = account()
    payment(shop)
    site.sandbox.create("customers", customer_key=f"shop-account-{shop.pk}")
    actions.hold(message("customers.save"))
    actions.mark_delivered(message("customers.create"))
    site.push()
    assert site.sent == ["POST /transactions"]


def test_a_payment_marked_as_delivered_is_remembered_after_its_message_was_pruned(
    site: Site, shop: Account
) -> None:
    site.push()
    paid = payment(shop)
    site.fail("status", status=400)
    site.push()
    actions.mark_delivered(message("transactions.create"))
    prune("test", timezone.now() + timedelta(days=1))
    paid.save()
    assert messages("transactions.create") == []


def test_a_retry_looks_up_a_message_in_doubt_before_it_sends_it(site: Site, shop: Account) -> None:
    payment(shop)
    site.sandbox.faults.add("lost", method="POST", times=1)
    site.push()
    OutboxMessage.objects.filter(state="unknown").update(state="dead")
    actions.retry(message("transactions.create"))
    site.push()
    assert message("transactions.create").state == "delivered"
    assert site.sent.count("POST /transactions") == 1


def test_an_event_in_doubt_is_sent_again_only_if_an_operator_releases_it(site: Site, shop: Account) -> None:
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


@pytest.mark.parametrize("action", [actions.hold, actions.cancel])
def test_holding_or_cancelling_an_organic_customer_blocks_nothing(
    site: Site, action: Callable[[OutboxMessage], None]
) -> None:
    shop = account(partner_key="")
    site.push()
    organic = message("customers.create")
    shop.partner_key = "gstest"
    shop.save()
    payment(shop)
    action(organic)
    site.push()
    assert message("transactions.create").state == "delivered"
    if action is actions.hold:
        actions.release(organic)
        site.push()
        assert (organic.state, lane_of(shop).status) == ("organic", "open")


def test_releasing_older_data_of_a_customer_cancels_them_if_newer_are_queued(
    site: Site, shop: Account
) -> None:
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


def test_releasing_a_refund_does_not_send_it_before_its_payment(site: Site, shop: Account) -> None:
    track.purchase(shop, amount=4900, currency="USD", key="inv_1")
    actions.hold(message("transactions.create"))
    track.refund("inv_1")
    actions.hold(message("transactions.delete"))
    actions.release(message("transactions.delete"))
    site.push()
    assert message("transactions.delete").state == "blocked"


def test_releasing_a_customer_with_a_late_partner_releases_its_payments(site: Site) -> None:
    shop = account(partner_key="")
    paid = payment(shop)
    site.push()
    actions.hold(message("customers.create"))
    track.assign(f"shop-account-{shop.pk}", "gstest", by="ada")
    actions.release(message("customers.create"))
    site.push()
    assert site.effects("transactions.create") == {f"payment-{paid.pk}": 1}


def test_a_refund_waits_for_a_payment_that_was_put_on_hold_while_organic(site: Site) -> None:
    shop = account(partner_key="")
    track.purchase(shop, amount=4900, currency="USD", key="inv_1")
    track.refund("inv_1")
    site.push()
    actions.hold(message("transactions.create"))
    track.assign(f"shop-account-{shop.pk}", "gstest", by="ada")
    site.push()
    assert message("transactions.delete").state == "blocked"
    actions.release(message("transactions.create"))
    site.push_for(hours=1)
    assert site.sandbox.objects("transactions") == []
    assert message("transactions.delete").state == "delivered"


def test_releasing_a_customer_does_not_release_what_another_message_blocks(site: Site) -> None:
    shop = account()
    track.purchase(shop, amount=4900, currency="USD", key="inv_1")
    track.refund("inv_1", amount=900)
    actions.hold(messages("customers.save")[0])
    actions.hold(message("transactions.delete"))
    actions.release(message("customers.create"))
    site.push()
    assert [each.state for each in messages(subject="inv_1")] == ["delivered", "held", "blocked"]


def test_a_payment_released_before_its_customer_is_blocked_with_a_reason(site: Site) -> None:
    payment(account())
    actions.hold(message("transactions.create"))
    actions.hold(message("customers.create"))
    actions.release(message("transactions.create"))
    assert message("transactions.create").state == "blocked"
    assert message("transactions.create").reason.startswith("Depends on an earlier message that failed")


def test_releasing_an_organic_payment_leaves_its_refund_organic(site: Site) -> None:
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


def test_an_action_on_a_message_after_many_queued_messages(site: Site, shop: Account) -> None:
    rows = [
        OutboxMessage(mode="test", lane=f"x:{each}", operation="x", payload={}, queued_at=site.clock.at)
        for each in range(600)
    ]
    OutboxMessage.objects.bulk_create(rows)
    payment(shop)
    actions.hold(message("transactions.create"))
    assert message("transactions.create").state == "held"


def test_a_message_of_an_unknown_operation_can_be_cancelled(site: Site) -> None:
    unknown = OutboxMessage.objects.create(
        mode="test", lane="partnership:x", operation="rewards.steal", payload={}, queued_at=site.clock.at
    )
    site.push()
    actions.retry(unknown)
    actions.cancel(unknown)
    assert unknown.state == "cancelled"


@pytest.mark.django_db(transaction=True)
def test_an_action_works_inside_the_transaction_of_a_request() -> None:
    payment(account())
    with transaction.atomic():
        actions.hold(message("transactions.create"))
    assert message("transactions.create").state == "held"


def test_an_action_does_not_make_an_organic_lane_due(site: Site) -> None:
    shop = account(partner_key="")
    payment(shop)
    site.push()
    actions.hold(message("transactions.create"))
    assert lane_of(shop).due_at is None


def test_a_retry_does_not_overtake_a_message_that_is_being_sent(site: Site, shop: Account) -> None:
    payment(shop)
    second: Any = payment(shop)
    [claimed] = claim(site.worker.throttle, site.worker.delivered, 8, lease=site.worker.lease).claimed
    actions.retry(message("transactions.create", source_pk=str(second.pk)))
    assert claim(site.worker.throttle, site.worker.delivered, 8, lease=site.worker.lease).claimed == ()
    assert claimed.message.state == "sending"


def test_a_retried_message_has_all_attempts_again(site: Site) -> None:
    account()
    site.push()
    OutboxMessage.objects.update(state="dead", attempts=24)
    actions.retry(message("customers.create"))
    found = message("customers.create")
    assert (found.state, found.attempts, found.finished_at) == ("ready", 0, None)
