"""The whole examination: each part on its own, and one sentence for one cause."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from functools import partial

from ...conf import conf
from ...connection import ConfigurationError
from ..findings import finding
from .answers import Answers, Watch, ask, watched_client
from .item import Item
from .partnerstack import examine_partnerstack
from .site import SETTINGS, examine_data, examine_database, examine_settings, examine_sources, examine_status
from .webhooks import examine_webhooks

logger = logging.getLogger(__name__)

#: What stops everything that is sent and read.
STOPS_EVERYTHING = {
    "keys-missing",
    "keys-rejected",
    "keys-forbidden",
    "partnerstack-unreachable",
    "partnerstack-failing",
    "not-partnerstack",
    "certificate-untrusted",
}

#: A finding is not shown again as its consequence: these follow from any of those.
FOLLOWS_FROM: dict[str, set[str]] = {
    "delivery-paused": STOPS_EVERYTHING,
    "delivery-stuck": STOPS_EVERYTHING,
    "keys-rejected": {"partnerstack.E002", "partnerstack.E003"},
    "requests-failing": STOPS_EVERYTHING,
    "sync-failing": {*STOPS_EVERYTHING, "resources-forbidden", "resources-unreadable"},
    "sync-stale": {*STOPS_EVERYTHING, "resources-forbidden", "resources-unreadable"},
    "webhooks-silent": {*STOPS_EVERYTHING, "webhooks-unregistered", "webhooks-unreachable"},
    "partnerstack.W052": {"no-worker", "webhook-events-waiting"},
    "partnerstack.W053": {"webhook-events-waiting", "delivery-stuck"},
}

#: What the database remembers of requests that failed is outdated once PartnerStack answers.
OUTDATED = {"keys-rejected", "requests-failing"}


def examine() -> Iterator[Item]:
    """
    Examine everything, and yield each item as soon as it is known.

    A part that fails is a finding of its own and stops no other. Reads only, at PartnerStack and here. One
    cause is one finding: its consequences are left out.
    """
    answers: list[Answers] = []
    shown: dict[str, str] = {}
    for item in _items(answers):
        known = {*shown, *(each.code for each in item.findings)}
        disproved = _disproved(answers[0]) if answers else set()
        findings = tuple(
            each
            for each in item.findings
            if shown.get(each.code, item.name) == item.name
            and each.code not in disproved
            and not FOLLOWS_FROM.get(each.code, set()) & known
        )
        shown.update((each.code, item.name) for each in findings)
        yield replace(item, findings=findings)


def _disproved(answers: Answers) -> set[str]:
    disproved = OUTDATED if answers.pages else set()
    return disproved | ({"mode-mismatch"} if conf.mode in answers.modes() else set())


def _items(answers: list[Answers]) -> Iterator[Item]:
    """All items. ``answers``: gets PartnerStack's answers, if it could be asked."""
    yield from _isolated(SETTINGS, lambda: [examine_settings()])
    database = list(_isolated("Database", lambda: [examine_database()]))
    yield from database
    is_usable = not any(item.findings for item in database)
    yield from _isolated("Connection", partial(_examine_partnerstack, answers, with_database=is_usable))
    if answers:
        yield from _isolated("Webhooks", partial(examine_webhooks, answers[0]))
    if is_usable:
        yield from _isolated("Status", examine_status)
        yield from _isolated("Sources", lambda: [examine_sources()])
        yield from _isolated("Data", lambda: [examine_data()])


def _isolated(name: str, part: Callable[[], Iterable[Item]]) -> Iterator[Item]:
    try:
        yield from part()
    except Exception as error:
        logger.exception("%s could not be examined.", name)
        reason = " ".join(f"{type(error).__name__}: {error}".split()).rstrip(".")
        yield Item(name, findings=(finding("not-examined", name=name, reason=reason),))


def _examine_partnerstack(answers: list[Answers], *, with_database: bool) -> Iterator[Item]:
    if not conf.public_key and not conf.secret_key:
        yield Item("Keys", findings=(finding("keys-missing"),))
        return
    watch = Watch()
    try:
        client = watched_client(watch)
    except ConfigurationError:
        # A system check says what is wrong with the setting.
        yield Item("Connection", "The settings cannot be used.", examined=False)
        return
    with client:
        answers.append(ask(client, watch))
        yield from examine_partnerstack(answers[0], client.masked_key, with_database=with_database)
