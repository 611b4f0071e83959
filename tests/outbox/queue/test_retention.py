"""Which messages are deleted, and which are kept."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from django_partnerstack import track
from django_partnerstack.models import Mirror, OutboxMessage, ReportedKey, State
from django_partnerstack.outbox.backfill import backfill
from django_partnerstack.outbox.queue.claim import claim
from django_partnerstack.outbox.queue.retention import prune
from django_partnerstack.resources import RESOURCES
from django_partnerstack.sync import pull
from tests.outbox.site import Site, account, message, messages, payment
from tests.shop.models import Account, Payment

pytestmark = pytest.mark.django_db


def test_pruning_keeps_unfinished_messages_and_what_later_ones_are_compared_with(site: Site) -> None:
    shop = account()
    payment(shop)
    site.push()
    shop.email = "b@customers.example"
    shop.save()
    payment(shop, paid=False)
    site.push()
    site.sandbox.faults.add("status", status=400, times=1)
    payment(shop, total="5.00")
    site.push()
    track.event(shop, "demo")
    site.sandbox.faults.add("lost", times=1)
    site.push()
    prune("test", timezone.now() + timedelta(days=1))
    assert sorted((each.operation, each.state) for each in messages()) == [
        ("actions.create", "held"),
        ("customers.update", "delivered"),
        ("transactions.create", "dead"),
    ]


def test_data_that_newer_data_have_replaced_are_deleted(site: Site) -> None:
    shop = account(email="old@customers.example")
    OutboxMessage.objects.update(state=State.CANCELLED, operation="customers.create")
    shop.email = "a@customers.example"
    shop.save()
    site.push()
    later = timezone.now() + timedelta(days=1)
    assert prune("test", timezone.now() - timedelta(hours=1)) == 0
    prune("test", later)
    [left] = OutboxMessage.objects.all()
    assert left.payload["email"] == "a@customers.example"


def test_a_cancelled_payment_is_kept(site: Site) -> None:
    payment(account())
    site.push()
    OutboxMessage.objects.filter(operation="transactions.create").update(state=State.CANCELLED)
    prune("test", timezone.now() + timedelta(days=1))
    assert OutboxMessage.objects.filter(operation="transactions.create").exists()


def test_pruning_keeps_the_other_mode_and_recent_messages(site: Site) -> None:
    payment(account())
    site.push()
    assert prune("production", timezone.now() + timedelta(days=1)) == 0
    assert prune("test", timezone.now() - timedelta(days=1)) == 0
    assert len(messages()) == 2


MIRRORS: list[type[Mirror]] = [resource.model for resource in RESOURCES.values()]


def forget() -> None:
    """Prune all messages and empty the mirrors."""
    prune("test", timezone.now() + timedelta(days=1))
    for mirror in MIRRORS:
        mirror.objects.all().delete()


def report_all_again(paid: Payment) -> None:
    """Save, report and backfill what was reported before."""
    paid.account.save()
    paid.save()
    key = f"payment-{paid.pk}"
    assert not track.purchase(paid.account, amount=paid.total, currency=paid.currency, key=key)
    assert not track.event(paid.account, "demo", key="demo-1")
    for model in (Account, Payment):
        done = backfill(model, mode="test", on_page=lambda done: None)
        assert (done.queued, done.known) == (0, 1)


@pytest.mark.django_db(transaction=True)
def test_nothing_is_reported_twice_after_messages_were_pruned_and_mirrors_emptied_and_filled() -> None:
    site = Site()
    paid = payment(account())
    track.event(paid.account, "demo", key="demo-1")
    site.push()
    effects = dict(site.sandbox.effects)
    assert set(effects.values()) == {1}
    forget()
    assert messages("transactions.create") == messages("actions.create") == []
    report_all_again(paid)
    for name in ("customers", "transactions"):
        pull(name, client=site.worker.client, mode="test", full=True, now=site.clock.now)
    report_all_again(paid)
    forget()
    report_all_again(paid)
    site.push_for(days=1)
    assert site.sandbox.effects == effects


def test_a_payment_found_by_a_look_up_is_remembered_too(site: Site) -> None:
    paid = payment(account())
    site.push(limit=1)
    site.fail("lost")
    site.push_for(minutes=20)
    forget()
    paid.save()
    site.push()
    assert site.effects("transactions.create") == {f"payment-{paid.pk}": 1}


def test_what_partnerstack_never_got_is_not_remembered(site: Site) -> None:
    payment(account())
    site.push(limit=1)
    site.fail("status", status=400)
    site.push()
    assert message("transactions.create").state == "dead"
    assert not ReportedKey.objects.filter(reported_at__isnull=False).exists()


def test_a_key_of_the_other_mode_is_not_remembered(site: Site) -> None:
    paid = payment(account())
    site.push()
    ReportedKey.objects.update(mode="production")
    forget()
    paid.save()
    assert len(messages("transactions.create")) == 1


def test_a_key_is_not_remembered_by_a_worker_that_has_lost_its_lease(site: Site) -> None:
    payment(account())
    site.push(limit=1)
    [claimed] = claim(site.worker.throttle, site.worker.delivered, 1, lease=site.worker.lease).claimed
    OutboxMessage.objects.filter(pk=claimed.message.pk).update(lease_token="of another worker")
    assert site.worker.attempts.run(claimed) == "lost"
    assert not ReportedKey.objects.filter(reported_at__isnull=False).exists()


def test_a_note_about_a_customer_is_deleted_like_any_other(site: Site) -> None:
    account(email="a@unknown.example")
    assert message("customers.save").state == "skipped"
    prune("test", timezone.now() + timedelta(days=1))
    assert messages() == []
