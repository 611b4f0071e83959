"""What the outbox costs: a save that is reported, and a claim where very many messages wait. Prints JSON."""

import json
import time
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from statistics import median

import django
from django.db import connection, transaction

from .pull import database

SAVES, CLAIMS, WAITING = 1_000, 30, 100_000


def milliseconds(work: Callable[[], object]) -> float:
    begin = time.perf_counter()
    work()
    return 1000 * (time.perf_counter() - begin)


def saving() -> dict[str, float]:
    """The median of saves in a transaction of their own, with and without a report, in turn."""
    from django_partnerstack import track
    from tests.shop.models import Account, Payment

    account = Account.objects.create(email="owner@example.com")
    plain, reported = [], []

    def save(report: bool) -> None:
        with transaction.atomic():
            payment = Payment(account=account, total=Decimal("49.00"), currency="USD")
            payment.save_base(raw=True)
            if report:
                track.report(payment)

    for _ in range(SAVES):
        plain.append(milliseconds(lambda: save(False)))
        reported.append(milliseconds(lambda: save(True)))
    return {"plain": median(plain), "added": median(reported) - median(plain)}


def fill(lanes: int) -> None:
    from django.utils import timezone

    from django_partnerstack.models import OutboxLane, OutboxMessage, Standing, State

    OutboxMessage.objects.all().delete()
    OutboxLane.objects.all().delete()
    now = timezone.now()
    names = [f"customer:{number}" for number in range(lanes)]
    OutboxLane.objects.bulk_create(
        OutboxLane(mode="test", key=name, standing=Standing.OPEN, due_at=now) for name in names
    )
    OutboxMessage.objects.bulk_create(
        OutboxMessage(
            mode="test",
            lane=names[number % lanes],
            operation="transactions.create",
            subject=f"payment-{number}",
            payload={},
            state=State.READY,
            queued_at=now,
        )
        for number in range(WAITING)
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def claiming(lanes: int) -> float:
    from django_partnerstack.outbox.claim import claim
    from django_partnerstack.outbox.clock import Clock
    from django_partnerstack.outbox.line import Line

    fill(lanes)
    line = Line("test", Clock(), requests_per_minute=10_000_000)
    # The lease is over at once, so that few lanes can be claimed again and again.
    lease = timedelta(seconds=0)
    return median(milliseconds(lambda: claim(line, 8, lease=lease)) for _ in range(CLAIMS))


if __name__ == "__main__":
    django.setup()
    with database():
        found = {**saving(), "claims": {lanes: claiming(lanes) for lanes in (10, 1_000, 50_000)}}
    print(json.dumps(found))
