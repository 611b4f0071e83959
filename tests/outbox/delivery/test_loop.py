"""The delivery loop: threads, limits and stopping."""

from __future__ import annotations

import pytest

from django_partnerstack.outbox.queue.messages import customer_lane
from tests.outbox.site import Site, account, messages
from tests.shop.models import Account

pytestmark = pytest.mark.django_db(transaction=True)


def lanes(*shops: Account) -> set[str]:
    return {customer_lane(f"account-{shop.pk}") for shop in shops}


def test_no_attempt_starts_after_the_given_seconds(site: Site) -> None:
    first, second = account(), account(email="b@customers.example")
    site.sandbox.faults.add("latency", seconds=30, times=1)
    worker = site.new_worker(threads=1)
    counts = worker.run(lanes=lanes(first, second), seconds=20)
    assert counts == {"delivered": 1, "ready": 1}
    assert site.sent == ["POST /customers"]
    assert sorted(each.attempts for each in messages("customers.create")) == [0, 1]
