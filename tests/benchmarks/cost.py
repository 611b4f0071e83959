"""What the outbox costs: saving a reported payment, and a claim with many messages queued. Prints JSON."""

import json
import time
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from functools import partial
from statistics import median
from typing import TYPE_CHECKING

import django
from django.db import connection, transaction

from .pull import database

if TYPE_CHECKING:
    from django_partnerstack.models import OutboxMessage
    from tests.shop.models import Payment

SAVES, CLAIMS, OLDER, WAITING = 1_000, 30, 10_000, 100_000


def milliseconds(work: Callable[[], object]) -> float:
    begin = time.perf_counter()
    work()
    return 1000 * (time.perf_counter() - begin)


def saving() -> dict[str, float]:
    """
    The median of a plain save in its own transaction, and what each way to report it adds.

    "by hand" is a savepoint and an INSERT of the same message with Django. The others report a payment of a
    known customer, a new customer, a customer whose data changed, and one whose data did not.

    The outbox is filled first, because PostgreSQL chooses a wrong index without statistics of the table.
    """
    from django_partnerstack import track
    from tests.shop.models import Account, Payment

    fill(1_000, OLDER)
    account = Account.objects.create(email="owner@example.com")
    ways = ("plain", "by hand", "payment", "new customer", "changed customer", "unchanged customer")
    durations: dict[str, list[float]] = {way: [] for way in ways}

    def save(way: str) -> None:
        with transaction.atomic():
            payment = Payment(account=account, total=Decimal("49.00"), currency="USD")
            payment.save_base(raw=True)
            if way == "by hand":
                with transaction.atomic():
                    message_by_hand(payment).save(force_insert=True)
            elif way == "payment":
                track.report(payment)
            elif way == "new customer":
                customer = Account(pk=1_000_000 + payment.pk, email="new@example.com", partner_key="gstest")
                track.report(customer, new=True)
            elif way == "changed customer":
                account.email = f"{payment.pk}@example.com"
                track.report(account)
            elif way == "unchanged customer":
                track.report(account)

    for _ in range(SAVES):
        for way, times in durations.items():
            times.append(milliseconds(partial(save, way)))
    plain = median(durations.pop("plain"))
    return {"plain": plain, **{way: median(times) - plain for way, times in durations.items()}}


def message_by_hand(payment: "Payment") -> "OutboxMessage":
    """The least that a site would write itself: the same row, saved with Django's ORM."""
    from django.utils import timezone

    from django_partnerstack.models import OutboxMessage

    key = f"by-hand-{payment.pk}"
    return OutboxMessage(
        mode="test",
        lane="customer:account-1",
        operation="transactions.create",
        subject=key,
        payload={"key": key, "customer_external_key": "account-1", "amount": 4900, "currency": "USD"},
        fingerprint="0" * 64,
        dedupe_key=f"transactions.create:{key}",
        source="shop.payment",
        source_pk=str(payment.pk),
        queued_at=timezone.now(),
    )


def fill(lanes: int, messages: int = WAITING) -> None:
    from django.utils import timezone

    from django_partnerstack.models import LaneStatus, OutboxLane, OutboxMessage, State

    OutboxMessage.objects.all().delete()
    OutboxLane.objects.all().delete()
    now = timezone.now()
    names = [f"customer:{number}" for number in range(lanes)]
    OutboxLane.objects.bulk_create(
        OutboxLane(mode="test", key=name, status=LaneStatus.OPEN, due_at=now) for name in names
    )
    OutboxMessage.objects.bulk_create(
        OutboxMessage(
            mode="test",
            lane=names[number % lanes],
            operation="transactions.create",
            subject=f"older-{number}",
            dedupe_key=f"transactions.create:older-{number}",
            payload={},
            state=State.SCHEDULED,
            queued_at=now,
        )
        for number in range(messages)
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def claiming(lanes: int) -> float:
    from django_partnerstack.outbox.queue.claim import DeliveredLanes, claim
    from django_partnerstack.throttle.clock import Clock
    from django_partnerstack.throttle.throttle import Throttle

    fill(lanes)
    throttle = Throttle("test", Clock(), requests_per_minute=10_000_000)
    delivered = DeliveredLanes()
    # The lease expires at once, so that few lanes can be claimed again and again.
    lease = timedelta(seconds=0)
    return median(milliseconds(lambda: claim(throttle, delivered, 8, lease=lease)) for _ in range(CLAIMS))


if __name__ == "__main__":
    django.setup()
    with database():
        found = {**saving(), "claims": {lanes: claiming(lanes) for lanes in (10, 1_000, 50_000)}}
    print(json.dumps(found))
