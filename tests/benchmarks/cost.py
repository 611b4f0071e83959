"""What a claim costs with many messages queued. Prints JSON."""

import json
import time
from collections.abc import Callable
from datetime import timedelta
from statistics import median

import django
from django.db import connection

from .pull import database

CLAIMS, WAITING = 30, 100_000


def milliseconds(work: Callable[[], object]) -> float:
    begin = time.perf_counter()
    work()
    return 1000 * (time.perf_counter() - begin)


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
        found = {"claims": {lanes: claiming(lanes) for lanes in (10, 1_000, 50_000)}}
    print(json.dumps(found))
