"""The figures of the integration's health. They are read by ``read`` and judged by ``judge``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from datetime import datetime
from typing import Any

from ..findings import Finding, Severity

#: Rows are counted up to this number, so that no count takes long. A figure of it means "or more".
COUNTED = 10_000

#: As many rows are read for a figure that no index contains.
READ = 1_000

#: The days of the attributed share.
DAYS = 30


@dataclass(frozen=True)
class Queue:
    """
    The messages. Recent failures and unreported customers are counted up to ``READ``, others to ``COUNTED``.

    ``by_state``: by the state's word, such as "queued", "failed" or "on_hold". ``oldest_due_at``: since when
    the oldest message that may be sent now has been due; None if none is. ``failed_last_hour`` and
    ``failed_last_day``: messages that failed then and still are. ``unreported_customers``: customers of
    waiting messages. ``interrupted_erasures``: forgotten customers whose erasure did not end in an hour.
    """

    by_state: Mapping[str, int] = field(default_factory=dict)
    oldest_due_at: datetime | None = None
    delivered_last_hour: int = 0
    delivered_last_day: int = 0
    failed_last_hour: int = 0
    failed_last_day: int = 0
    unreported_customers: int = 0
    source_errors: int = 0
    interrupted_erasures: int = 0

    @property
    def unsent(self) -> int:
        """Messages that are on their way: queued, scheduled, being sent or unconfirmed."""
        words = ("queued", "scheduled", "sending", "unconfirmed")
        return sum(self.by_state.get(word, 0) for word in words)


@dataclass(frozen=True)
class Connection:
    """
    The way to PartnerStack.

    ``breaker``: the circuit breaker, "closed", "open" or "half-open"; ``reason`` is why it is not closed,
    and ``open_until`` when it lets a request through. ``is_rate_limited``: it is open only because
    PartnerStack asked for a pause. ``keys_rejected``: the site's keys were, and no request
    has succeeded with them since. ``failing_since``: since when no request has succeeded; ``failed_at`` and
    ``failure``: when the last failed, and why. ``requests_last_minute``: of the budget of
    ``requests_per_minute``.
    """

    has_keys: bool = False
    push_enabled: bool = True
    breaker: str = "closed"
    open_until: datetime | None = None
    is_rate_limited: bool = False
    reason: str = ""
    keys_rejected: bool = False
    failing_since: datetime | None = None
    failed_at: datetime | None = None
    failure: str = ""
    requests_last_minute: int = 0
    requests_per_minute: float = 0


@dataclass(frozen=True)
class Sync:
    """
    The sync of one resource.

    ``duration_seconds``, ``read`` and ``changed``: of the last run, in seconds and objects; None before the
    first. ``error`` and ``failed_at``: of the last run that failed; ``error`` is empty after a finished run.
    ``newest_change_at``: the newest change that was seen, by PartnerStack's clock.
    """

    resource: str
    is_running: bool = False
    completed_at: datetime | None = None
    full_completed_at: datetime | None = None
    attempted_at: datetime | None = None
    age_seconds: float | None = None
    duration_seconds: float | None = None
    read: int | None = None
    changed: int | None = None
    newest_change_at: datetime | None = None
    failed_at: datetime | None = None
    error: str = ""


@dataclass(frozen=True)
class Workers:
    """
    ``running``: how many workers run, and ``running_since``: since when the first of them. ``seen_at``: when
    any was last seen; None if never. ``sync_seen_at``: when one that syncs was last seen.
    """

    running: int = 0
    running_since: datetime | None = None
    seen_at: datetime | None = None
    sync_seen_at: datetime | None = None


@dataclass(frozen=True)
class Webhooks:
    """``is_configured``: the site has a secret. ``waiting_since``: of the oldest unprocessed event."""

    is_configured: bool = False
    last_received_at: datetime | None = None
    waiting_since: datetime | None = None
    failed: int = 0


@dataclass(frozen=True)
class SignUps:
    """The newest sign-ups of the last 30 days, at most ``COUNTED``."""

    attributed: int = 0
    organic: int = 0

    @property
    def attributed_share(self) -> float | None:
        """From 0 to 1; None without sign-ups."""
        number = self.attributed + self.organic
        return self.attributed / number if number else None


@dataclass(frozen=True)
class Health:
    """
    How the integration stands: figures, and what is wrong, the most urgent first.

    ``has_figures``: the database could be read. Otherwise no figure is known, and a finding says why.
    ``mode_seen``: the other mode, if the newest data that PartnerStack returned are of it; otherwise empty.
    ``reported_twice``: how many of the newest payments another integration seems to report, too.
    """

    mode: str
    at: datetime
    has_figures: bool = True
    mode_seen: str = ""
    queue: Queue = Queue()
    connection: Connection = Connection()
    syncs: tuple[Sync, ...] = ()
    workers: Workers = Workers()
    webhooks: Webhooks = Webhooks()
    sign_ups: SignUps = SignUps()
    reported_twice: int = 0
    findings: tuple[Finding, ...] = ()

    @property
    def severity(self) -> Severity:
        """That of the most urgent finding; ``Severity.OK`` without findings."""
        return max((finding.severity for finding in self.findings), default=Severity.OK)

    def find(self, code: str) -> Finding | None:
        """The finding of this code, if there is one."""
        return next((finding for finding in self.findings if finding.code == code), None)

    def as_dict(self) -> dict[str, Any]:
        """All that is known as JSON-serializable data. Times are in ISO 8601, in UTC."""
        figures = _plain(self)
        figures["sign_ups"]["attributed_share"] = self.sign_ups.attributed_share
        if not self.has_figures:
            figures = {name: figures[name] for name in ("mode", "at", "has_figures")}
        found = [finding.as_dict() for finding in self.findings]
        return {"severity": self.severity.word, **figures, "findings": found}


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    if is_dataclass(value):
        return {each.name: _plain(getattr(value, each.name)) for each in fields(value)}
    if isinstance(value, Mapping):
        return {key: _plain(each) for key, each in value.items()}
    if isinstance(value, (tuple, list)):
        return [_plain(each) for each in value]
    return value
