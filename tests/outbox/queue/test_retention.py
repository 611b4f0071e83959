"""Which messages are deleted, and which are kept."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from django_partnerstack import track
from django_partnerstack.outbox.queue.retention import prune
from tests.outbox.site import Site, account, messages, payment

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


def test_pruning_keeps_the_other_mode_and_recent_messages(site: Site) -> None:
    payment(account())
    site.push()
    assert prune("production", timezone.now() + timedelta(days=1)) == 0
    assert prune("test", timezone.now() - timedelta(days=1)) == 0
    assert len(messages()) == 2
