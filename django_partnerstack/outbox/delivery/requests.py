"""The requests of a worker: each has a slot, and what a refusal says about all others is decided here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from ...client import Client, recorded_by
from ...exceptions import AuthenticationFailed, Forbidden, PartnerStackError, RateLimited
from ...throttle.throttle import Throttle


@dataclass(frozen=True)
class Requests:
    """
    Access to PartnerStack. Threads may share it.

    ``request_time``: how long a request can take. ``acquire_slot``: waits for the next free slot of the
    throttle.
    """

    client: Client
    throttle: Throttle
    request_time: timedelta
    acquire_slot: Callable[[], None]

    def now(self) -> datetime:
        return self.throttle.clock.now()

    def fits(self, number: int, before: datetime) -> bool:
        """Whether so many requests end before a time, even if each takes as long as it can."""
        return self.now() + number * self.request_time <= before

    def succeeded(self) -> None:
        """Count a request that PartnerStack answered."""
        self.throttle.requests.add(failed=False)

    def concerns_all(self, error: PartnerStackError, before: datetime) -> bool:
        """
        Count a failed request. Returns whether other requests would fail as well; then they are paused.

        A 401 is about the keys. A 403 is about its own message, unless reading another resource, which must
        end ``before`` the end of the lease, is refused too.
        """
        limited, retry_after = isinstance(error, RateLimited), getattr(error, "retry_after", None)
        refused = isinstance(error, AuthenticationFailed)
        if isinstance(error, Forbidden):
            refused = self.fits(1, before) and self._is_reading_refused()
        failed = refused or (getattr(error, "retryable", False) and not limited)
        self.throttle.requests.add(failed=failed, reason=str(error))
        if limited or retry_after is not None:
            self.throttle.pause_for_rate_limit(retry_after)
        if refused:
            self.throttle.pause_for_refused_keys(str(error))
        return limited or refused

    def _is_reading_refused(self) -> bool:
        """Read a resource that no operation writes: a key pair can lack the permission for one resource."""
        self.acquire_slot()
        try:
            # About the keys, and so no part of the attempt's record.
            with recorded_by(None):
                self.client.partnerships.list(limit=1)
        except (AuthenticationFailed, Forbidden):
            return True
        except PartnerStackError as error:
            self.throttle.requests.add(failed=getattr(error, "retryable", False), reason=str(error))
        else:
            self.succeeded()
        return False
