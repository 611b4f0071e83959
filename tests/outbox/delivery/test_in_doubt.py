"""
Answers that are lost, late or empty, and objects that are shown minutes after they were made.

Whatever PartnerStack does with duplicates: each thing that is told has one effect, and nothing is lost.
"""

from __future__ import annotations

from random import Random
from typing import Any

import pytest
from django.db.models import Sum

from django_partnerstack import track
from django_partnerstack.models import OutboxMessage
from tests.lengths import by_length
from tests.outbox.site import Site, account

EVENTS = by_length(quick=100, usual=300, long=5000)
#: A customer and its payments.
PAYMENTS = 4


@pytest.mark.django_db
@pytest.mark.parametrize("duplicates", ["409", "400", "200", "accepted"])
def test_every_event_has_one_effect_whatever_is_lost(duplicates: str, capsys: Any) -> None:
    site, random = Site(duplicates=duplicates), Random(duplicates)
    delivery_health(site, random)
    customers = EVENTS // (1 + PAYMENTS)
    for number in range(customers):
        shop = account(email=f"a{number}@customers.example")
        for order in range(PAYMENTS):
            track.purchase(shop, amount=100, currency="USD", key=f"payment-{number}-{order}")
        if number % 20 == 0:
            site.sandbox.behaviour.read_lag = random.uniform(0, 360)
            site.push_for(minutes=random.uniform(0, 5), step=60)
    site.push_for(days=2, step=240)

    created = site.effects("customers.create") | site.effects("transactions.create")
    second, lost = sum(created.values()) - len(created), EVENTS - len(created)
    undelivered = OutboxMessage.objects.exclude(state="delivered").count()
    attempts = OutboxMessage.objects.aggregate(sent=Sum("attempts"))["sent"]
    look_ups = sum(each.startswith("GET") for each in site.sent)
    with capsys.disabled():
        print(
            f"\n{EVENTS} events, duplicates {duplicates}: {second} second effects, {lost} lost, "
            f"{undelivered} not delivered; {attempts} attempts, {look_ups} look-ups"
        )
    assert (second, lost, undelivered) == (0, 0, 0)


def delivery_health(site: Site, random: Random) -> None:
    """A tenth to three tenths of all answers tell nothing of what was done."""
    rate = random.uniform(0.1, 0.3)
    site.sandbox.faults.add("lost", rate=rate / 2)
    site.sandbox.faults.add("latency", rate=rate / 6, seconds=60)
    site.sandbox.faults.add("empty", method="POST", rate=rate / 6, after_effect=True)
    site.sandbox.faults.add("status", rate=rate / 6, status=500, after_effect=True)
