"""What PartnerStack's answers say about the keys, their mode and permissions, the way, and the clocks."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta, timezone
from urllib.parse import urlsplit

from django.db import router
from django.db.migrations.recorder import MigrationRecorder

from ...attribution.installed import is_installed
from ...attribution.parameters import CLICK_IDS, PARTNER_KEYS
from ...client.sockets import proxy_of
from ...client.validation import is_loopback
from ...conf import conf
from ...exceptions import (
    AuthenticationFailed,
    Forbidden,
    NotFound,
    NotSent,
    RateLimited,
    UnusableReply,
)
from ...models import OutboxMessage
from ...throttle.clock import Now
from ..findings import Finding, finding
from .answers import Answers, Watch
from .item import Item, found

#: How far the clocks may differ. A machine that is synchronised differs by less than a second.
TOLERANCE = timedelta(minutes=1)


def examine_partnerstack(answers: Answers, masked_key: str, *, with_database: bool) -> Iterator[Item]:
    """
    The connection, the keys and what they may read, and the clocks.

    Nothing is said about what could not be asked. ``with_database``: the database's clock can be read.
    """
    general = _general_problem(answers.errors.values()) if not answers.pages else None
    yield _connection(answers, general)
    if general is None or general.code in ("keys-rejected", "keys-forbidden"):
        yield Item("Keys", f"{masked_key} is accepted." if general is None else "", found(general))
    if general is None:
        yield _mode(answers)
        yield _permissions(answers)
        yield _links(answers)
    yield _clocks(answers.watch, _database_is_ahead() if with_database else None)


def _general_problem(errors: Iterable[Exception]) -> Finding:
    """Why nothing at all could be read."""
    errors = list(errors)

    def all_are(*kinds: type[Exception]) -> bool:
        return all(isinstance(error, kinds) for error in errors)

    reason = _reason(errors[0])
    if all_are(AuthenticationFailed):
        return finding("keys-rejected", reason=reason)
    if all_are(AuthenticationFailed, Forbidden):
        return finding("keys-forbidden", reason=reason)
    if all_are(NotSent):
        if "certificate" in reason.lower():
            return finding("certificate-untrusted", host=_host(), reason=reason)
        return finding("partnerstack-unreachable", reason=reason)
    if all_are(NotFound, UnusableReply):
        return finding("not-partnerstack", reason=reason)
    # The first that says most: a time-out says less than an answer.
    telling = next((each for each in errors if getattr(each, "status", None)), errors[0])
    return finding("partnerstack-failing", reason=_reason(telling))


def _reason(error: Exception) -> str:
    """The text of an error as a part of a sentence."""
    return " ".join(str(error).split()).rstrip(".") or type(error).__name__


def _host() -> str:
    return urlsplit(conf.api_url).hostname or ""


def _connection(answers: Answers, problem: Finding | None) -> Item:
    watch, proxy = answers.watch, proxy_of(conf.api_url)
    through = f", through the proxy {proxy}" if proxy else ", without a proxy"
    text = f"{_host()} answered in {answers.seconds:.1f} s{through}."
    is_about_keys = problem is not None and problem.code in ("keys-rejected", "keys-forbidden")
    if problem is not None and not is_about_keys:
        return Item("Connection", f"{_host()}{through}.", found(problem), seconds=answers.seconds)
    expiring = None
    if watch.tls and watch.expires_at:
        days = (watch.expires_at - datetime.now(timezone.utc)).days
        text += f" {watch.tls}; the certificate is valid for {days} days."
        expiring = watch.expiring(_host())
    elif is_loopback(_host()):
        text += " Plain HTTP, on this machine."
    return Item("Connection", text, found(expiring), seconds=answers.seconds)


def _mode(answers: Answers) -> Item:
    """Only the ``test`` flag of objects tells the key pairs of both modes apart."""
    modes = answers.modes()
    if not modes:
        text = f"PARTNERSTACK_MODE is {conf.mode}. No object of PartnerStack shows yet whether the keys are."
        return Item("Mode", text)
    seen = ", ".join(f"{number} {mode.value}" for mode, number in modes.items())
    if conf.mode not in modes:
        return Item("Mode", findings=(finding("mode-mismatch", seen=next(iter(modes)).value),))
    return Item("Mode", f"{conf.mode}. Objects that show it: {seen}.")


def _permissions(answers: Answers) -> Item:
    """The lists that could not be read, by the reason."""
    refused = [name for name, error in answers.errors.items() if _is_refused(error)]
    findings = [finding("resources-forbidden", resources=", ".join(refused))] if refused else []
    others: dict[str, list[str]] = {}
    for name, error in answers.errors.items():
        if name not in refused and not (name == "links" and isinstance(error, NotFound)):
            others.setdefault(_kind(error), []).append(name)
    for names in others.values():
        reason = _reason(answers.errors[names[0]])
        findings.append(finding("resources-unreadable", resources=", ".join(names), reason=reason))
    return Item("Permissions", f"Readable: {', '.join(answers.pages)}.", tuple(findings))


def _is_refused(error: Exception) -> bool:
    return isinstance(error, (Forbidden, AuthenticationFailed))


def _kind(error: Exception) -> str:
    return "limited" if isinstance(error, RateLimited) else type(error).__name__


def _links(answers: Answers) -> Item:
    page = answers.pages.get("links")
    if page is None or not page.records:
        return Item("Partner links", "PartnerStack returned none.", examined=False)
    hosts = sorted({urlsplit(link.dest).hostname or link.dest for link in page.records})
    reads = f"AttributionMiddleware reads {CLICK_IDS[0]} and {PARTNER_KEYS[0]} from the address."
    if not is_installed():
        reads = "AttributionMiddleware is not installed: only your own code names a customer's partner."
    return Item("Partner links", f"They lead to {', '.join(hosts)}. {reads}")


def _clocks(watch: Watch, database: float | None) -> Item:
    """
    Leases and look-ups use the database's clock, signed cookies this machine's.

    Look-ups by time allow for ``outbox.remote_search.CLOCK_SKEW``.
    """
    if watch.ahead is None:
        return Item("Clock", "No response has the time.", examined=False)
    clocks = {"this machine": watch.ahead}
    if database is not None:
        clocks["the database"] = watch.ahead + database
    limit = TOLERANCE.total_seconds()
    wrong = {name: ahead for name, ahead in clocks.items() if abs(ahead) > limit}
    if not wrong:
        return Item("Clock", f"Differs from PartnerStack's by less than {limit:.0f} seconds.")
    seconds = f"{max(wrong.values(), key=abs):+.0f}"
    return Item("Clock", findings=(finding("clock-off", clock=" and of ".join(wrong), seconds=seconds),))


def _database_is_ahead(now: Callable[[], float] = time.time) -> float | None:
    """By how many seconds the database's clock is ahead of this machine's; None if it does not say."""
    # A table that is never empty.
    rows = MigrationRecorder.Migration.objects.using(router.db_for_write(OutboxMessage))
    began = now()
    at = rows.values_list(Now(), flat=True).first()
    return None if at is None else at.timestamp() - (began + now()) / 2
