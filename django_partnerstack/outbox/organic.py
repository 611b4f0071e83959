"""What waits for its customer to have a partner."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta

from ..conf import conf
from ..models import OutboxMessage, State
from .followers import BEHIND, behind, unblock
from .operations import CUSTOMER_SNAPSHOTS

TOO_OLD = "Queued too long before the customer had a partner."


def release_organic(lanes: Collection[str], *, mode: str, using: str, now: datetime) -> None:
    """
    Let what waited for a partner leave, unless it is too old; and what waited behind a refusal.

    What comes after a message that is stuck goes on waiting. Call it with the line locked.
    """
    messages = OutboxMessage.objects.using(using).filter(mode=mode, lane__in=lanes)
    waiting = messages.exclude(operation__in=CUSTOMER_SNAPSHOTS)
    organic = waiting.filter(state=State.ORGANIC)
    organic.filter(queued_at__lt=now - timedelta(days=conf.attribution_days)).update(reason=TOO_OLD)
    follow = behind(organic.exclude(reason=TOO_OLD), {State.ORGANIC}, reason=TOO_OLD)
    organic.filter(pk__in=list(follow.values_list("pk", flat=True))).update(reason=TOO_OLD)
    organic.exclude(reason=TOO_OLD).update(state=State.BLOCKED, reason=BEHIND)
    unblock(waiting)
