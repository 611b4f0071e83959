"""The rate limiter: it gives each request of the site a slot, the time at which to send it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

#: How far in the future a slot may be.
HORIZON = timedelta(seconds=1)

#: A process that misses a slot by more than this acquires another.
LATE = timedelta(seconds=0.05)

#: Late slots may be used only if this many workers, using all late slots at once, exceed the rate by at most
#: 5 %.
WORKERS = 20


class RateLimiter:
    """Gives slots at ``PARTNERSTACK_REQUESTS_PER_MINUTE``. The throttle row stores the next free slot."""

    def __init__(self, requests_per_minute: float) -> None:
        self.interval = max(timedelta(minutes=1) / requests_per_minute, timedelta.resolution)
        #: How many late slots a worker may use. None at the rate that PartnerStack allows.
        self.late_slots_allowed = LATE // (WORKERS * self.interval)

    def slots(self, row: Any, wanted: int, now: datetime) -> list[datetime]:
        """Take at most ``wanted`` slots within the horizon from the locked row."""
        first = max(now, row.next_slot_at or now)
        if not row.half_open:
            # A next slot beyond the horizon: the database's clock was set back.
            first = min(first, now + HORIZON + self.interval)
        free = int((now + HORIZON - first) / self.interval) + 1 if first <= now + HORIZON else 0
        count = min(wanted, free)
        row.next_slot_at = first + count * self.interval
        return [first + number * self.interval for number in range(count)]

    def is_usable(self, slot: datetime, now: datetime, *, claimed_slots: int) -> bool:
        """Whether a process with at most ``claimed_slots`` slots may still use this slot."""
        return claimed_slots <= self.late_slots_allowed or now - slot <= LATE
