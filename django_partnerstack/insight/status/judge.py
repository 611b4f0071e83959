"""What the figures mean: which findings a site has. Takes no query. One cause is one finding."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from django.utils.timezone import localtime
from django.utils.translation import gettext as _

from ...conf import conf
from ...webhooks.normalise import RESOURCE_OF
from ..findings import Finding, finding
from .figures import Health, Sync

#: How long messages may be due, and events wait, before somebody should look.
LEFT_AFTER = timedelta(hours=1)

#: How long requests may fail before it is an outage, unless they have opened the circuit breaker.
#: How long an outage is believed after the last request.
FAILS_AFTER, BELIEVED_FOR = timedelta(minutes=1), timedelta(hours=2)

#: Shorter pauses that PartnerStack asks for are its normal course.
SHORT_PAUSE = timedelta(minutes=1)

#: How old the mirrors of a site with a worker may be: three times PARTNERSTACK_SYNC_EVERY, but at least this.
STALE_AFTER, PERIODS = timedelta(hours=1), 3
#: How old those of a site without a worker may be, which may sync once a day.
STALE_AFTER_A_DAY = timedelta(hours=26)
#: A site has no worker that syncs if none was seen for this long.
WITHOUT_WORKER = timedelta(days=7)

#: How long a sync may fail before somebody should look.
RETRIED_FOR = timedelta(minutes=15)

#: How long no webhook may arrive although objects change. Some sites subscribe to rare events only.
SILENT_FOR = timedelta(days=7)
#: How long after that a change that a sync has seen may lack its webhook.
LATE_AFTER = timedelta(days=1)

#: What stops the processing of webhook events, too.
STOPS_EVENTS = frozenset({"no-worker", "keys-missing", "keys-rejected", "requests-failing"})

#: A finding is not shown as well as its cause.
FOLLOWS_FROM = {"sync-stale": {"no-worker", "delivery-stuck"}}


def findings(health: Health) -> tuple[Finding, ...]:
    """The findings of a mode, the most urgent first."""
    stopped = [*_stopped(health)]
    found = [*_mode(health), *(stopped or _left(health)), *_messages(health)]
    if not stopped:
        found += _syncs(health)
    known = {each.code for each in found}
    found = [each for each in found if not FOLLOWS_FROM.get(each.code, set()) & known]
    found += _webhooks(health, known=known)
    return tuple(sorted(found, key=lambda each: -each.severity))


def obstacle(health: Health) -> Finding | None:
    """Why nothing can be sent now, if anything were due; None if nothing is in the way."""
    mode, connection = health.mode, health.connection
    if not connection.has_keys:
        return finding("keys-missing", mode=mode)
    if not connection.push_enabled:
        return finding("delivery-disabled", mode=mode, number=health.queue.unsent)
    if connection.keys_rejected:
        return finding("keys-rejected", mode=mode, reason=_clause(connection.failure or connection.reason))
    if connection.failing_since is not None:
        since, reason = when(connection.failing_since), _clause(connection.failure)
        return finding("requests-failing", mode=mode, since=since, reason=reason)
    if connection.open_until is not None:
        until = when(connection.open_until)
        return finding("delivery-paused", mode=mode, until=until, reason=connection.reason)
    return None


def _stopped(health: Health) -> Iterator[Finding]:
    """The obstacle, if it is worth a finding: it lasts, or messages wait for it to end."""
    connection, found = health.connection, obstacle(health)
    if found is None:
        return
    matters = {
        "keys-missing": health.queue.unsent > 0,
        "delivery-disabled": health.queue.unsent > 0,
        "requests-failing": _is_outage(health),
        "delivery-paused": not connection.is_rate_limited or _pause_is_long(health),
    }
    if matters.get(found.code, True):
        yield found


def _is_outage(health: Health) -> bool:
    since, last = health.connection.failing_since, health.connection.failed_at
    if since is None or last is None or health.at - last > BELIEVED_FOR:
        return False
    has_opened_breaker = health.connection.breaker != "closed" and not health.connection.is_rate_limited
    return has_opened_breaker or health.at - since > FAILS_AFTER


def _pause_is_long(health: Health) -> bool:
    until = health.connection.open_until
    return until is not None and until - health.at > SHORT_PAUSE


def _mode(health: Health) -> Iterator[Finding]:
    if health.mode_seen:
        yield finding("mode-mismatch", mode=health.mode, seen=health.mode_seen)


def _left(health: Health) -> Iterator[Finding]:
    """Messages that are due and stay, although nothing is in the way."""
    mode, queue = health.mode, health.queue
    due_at = queue.oldest_due_at
    if due_at is None or health.at - due_at <= LEFT_AFTER or obstacle(health) is not None:
        return
    has_worker, delivered = health.workers.seen_at is not None, queue.delivered_last_hour
    if not health.workers.running and (has_worker or not delivered):
        yield finding("no-worker", mode=mode, since=when(due_at))
    elif not delivered:
        yield finding("delivery-stuck", mode=mode, since=when(due_at))
    else:
        yield finding("queue-behind", mode=mode, since=when(due_at), number=delivered)


def _messages(health: Health) -> Iterator[Finding]:
    queue = health.queue
    numbers = {
        "messages-failed": queue.by_state.get("failed", 0),
        "messages-on-hold": queue.by_state.get("on_hold", 0),
        "customers-unreported": queue.unreported_customers,
        "source-errors": queue.source_errors,
        "erasures-interrupted": queue.interrupted_erasures,
        "reported-twice": health.reported_twice,
    }
    for code, number in numbers.items():
        if number:
            yield finding(code, mode=health.mode, number=number)


def _syncs(health: Health) -> Iterator[Finding]:
    """
    Failing and old syncs.

    A site whose worker syncs is expected to sync every resource often. Any other site chooses itself what it
    syncs and how often, so its newest sync counts. With PARTNERSTACK_SYNC_EVERY = 0 no age is too old.
    """
    failing = [sync for sync in health.syncs if _is_failing(sync)]
    if failing:
        names, reason = _names(failing), _clause(failing[0].error)
        yield finding("sync-failing", mode=health.mode, resources=names, reason=reason)
    elif not any(sync.completed_at for sync in health.syncs):
        if health.queue.by_state.get("delivered") and _period():
            yield finding("never-synced", mode=health.mode)
        return
    stale = [sync for sync in _judged_by_age(health) if sync not in failing]
    if stale:
        oldest = min(sync.completed_at for sync in stale if sync.completed_at)
        names = _names(stale) if len(stale) < max(len(health.syncs), 2) else _("all resources")
        yield finding("sync-stale", mode=health.mode, resources=names, since=when(oldest))


def _judged_by_age(health: Health) -> list[Sync]:
    """The syncs that are too old."""
    every = _period()
    completed = [(sync.completed_at, sync) for sync in health.syncs if sync.completed_at]
    if not every or not completed:
        return []
    seen_at = health.workers.sync_seen_at
    if seen_at is None or health.at - seen_at > WITHOUT_WORKER:
        is_old = health.at - max(at for at, _sync in completed) > max(STALE_AFTER_A_DAY, PERIODS * every)
        return [sync for _at, sync in completed] if is_old else []
    # A full sync of a large resource delays the others.
    is_busy = any(sync.is_running for sync in health.syncs)
    limit = max(STALE_AFTER_A_DAY if is_busy else STALE_AFTER, PERIODS * every)
    return [sync for at, sync in completed if health.at - at > limit]


def _period() -> timedelta:
    """PARTNERSTACK_SYNC_EVERY; zero if it cannot be used, which a check reports."""
    try:
        return timedelta(seconds=conf.sync_every)
    except (TypeError, OverflowError):
        return timedelta()


def _is_failing(sync: Sync) -> bool:
    """Whether its runs have failed for so long, or since the first, that it is not just a single failure."""
    if not sync.error or sync.failed_at is None:
        return False
    return sync.completed_at is None or sync.failed_at - sync.completed_at > RETRIED_FOR


def _webhooks(health: Health, *, known: set[str]) -> Iterator[Finding]:
    mode, webhooks = health.mode, health.webhooks
    if webhooks.failed:
        yield finding("webhook-events-failed", mode=mode, number=webhooks.failed)
    waiting = webhooks.waiting_since
    if waiting and health.at - waiting > LEFT_AFTER and not known & STOPS_EVENTS:
        yield finding("webhook-events-waiting", mode=mode, since=when(waiting))
    changed_at = _unannounced_change(health)
    if changed_at is not None:
        received = _("no webhook was ever received")
        if webhooks.last_received_at is not None:
            received = _("the last webhook was received at {at}").format(at=when(webhooks.last_received_at))
        yield finding("webhooks-silent", mode=mode, changed=when(changed_at), received=received)


def _unannounced_change(health: Health) -> datetime | None:
    """When PartnerStack last changed an object, if a webhook should have said so and none arrived since."""
    webhooks, resources = health.webhooks, set(RESOURCE_OF.values())
    changes = [
        sync.newest_change_at for sync in health.syncs if sync.resource in resources and sync.newest_change_at
    ]
    if not webhooks.is_configured or not changes:
        return None
    since = health.workers.running_since
    if webhooks.last_received_at is not None:
        since = webhooks.last_received_at + SILENT_FOR
    if since is None:
        return None
    # A webhook may just be on its way, but not for a day.
    until = health.at if health.at - since > LATE_AFTER else health.at - LEFT_AFTER
    return max((change for change in changes if since < change < until), default=None)


def when(at: datetime) -> str:
    """A time as the findings show it."""
    return f"{localtime(at):%Y-%m-%d %H:%M %Z}"


def _names(syncs: list[Sync]) -> str:
    return ", ".join(sync.resource for sync in syncs)


def _clause(reason: str) -> str:
    """A reason as the end of a sentence."""
    return " ".join(reason.split()).rstrip(".")
