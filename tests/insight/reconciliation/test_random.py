"""Whatever a site does with its payments: once all is delivered and synced, the books agree."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta
from decimal import Decimal
from random import Random

import pytest
from django.db import transaction

from django_partnerstack import track
from django_partnerstack.exceptions import InvalidTransition
from django_partnerstack.models import OutboxMessage, State
from django_partnerstack.outbox.control.actions import cancel
from django_partnerstack.outbox.payments.corrections import correct_payment
from django_partnerstack.outbox.payments.history import is_refund
from django_partnerstack.outbox.queue.retention import prune
from tests.lengths import by_length
from tests.outbox.site import Site, account, payment
from tests.shop.models import Account, Payment

from .test_reconcile import found, reconciled, synced

pytestmark = pytest.mark.django_db

STEPS = ("pay", "refund a part", "refund", "correct", "cancel a refund", "delete", "push", "sync", "prune")


class Visitor:
    """Does one thing after the other at a site."""

    def __init__(self, site: Site, owners: list[Account]) -> None:
        self.site = site
        self.owners = owners

    def take(self, step: str, number: int) -> None:
        paid = Payment.objects.order_by("pk")
        chosen = paid[number % len(paid)] if paid else None
        if step == "pay":
            payment(self.owners[number % len(self.owners)], f"{number + 10}.00")
        elif step == "push":
            self.site.push()
        elif step == "sync":
            self.site.clock.advance(hours=number)
            synced(self.site, full=bool(number % 2))
        elif step == "prune":
            prune("test", self.site.clock.now() + timedelta(seconds=1))
        elif step == "cancel a refund":
            self.cancel_a_refund()
        elif chosen:
            self.change(step, chosen, number)

    def change(self, step: str, chosen: Payment, number: int) -> None:
        # It may be refunded before. A payment that was refunded in part cannot be corrected.
        with suppress(track.RefundError), transaction.atomic():
            if step == "refund a part":
                track.refund(f"payment-{chosen.pk}", amount=Decimal(1 + number % 3))
            elif step == "refund":
                track.refund(f"payment-{chosen.pk}")
            elif step == "delete":
                chosen.delete()
            elif step == "correct":
                self.correct(chosen, number)

    def correct(self, chosen: Payment, number: int) -> None:
        """A change that cannot be corrected is rolled back by the caller."""
        chosen.total += number + 1
        chosen.save()
        for message in OutboxMessage.objects.filter(state=State.FAILED, subject="", source_pk=chosen.pk):
            correct_payment(message)

    def cancel_a_refund(self) -> None:
        refund = OutboxMessage.objects.filter(operation="transactions.delete").exclude(state=State.DELIVERED)
        for message in filter(is_refund, refund):
            with suppress(InvalidTransition):
                cancel(message)
                return


@pytest.mark.parametrize("seed", range(by_length(quick=8, usual=16, long=300)))
def test_the_books_agree_once_all_is_delivered_and_synced(seed: int) -> None:
    choose, site = Random(seed), Site()
    owners = [account(), account(email="b@shop.example"), account(partner_key="", email="c@shop.example")]
    visitor = Visitor(site, owners)
    for _ in range(choose.randint(5, 20)):
        visitor.take(step := choose.choice(STEPS), choose.randrange(10))
        if step == "sync":
            assert found(reconciled(site)) == {}
    site.push_for(hours=1)
    synced(site)
    assert found(reconciled(site)) == {}
