"""Checks of what the database contains, and of where routers write."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import timedelta
from typing import Any

from django.core.checks import CheckMessage, Error, Warning
from django.db import DatabaseError, router, transaction

from .. import sources
from ..conf import conf
from ..insight.status import are_messages_left, worker_health
from ..models import OutboxMessage, SyncState, Worker

#: How long messages may wait.
LEFT_AFTER = timedelta(hours=1)


def check_mode_of_data(*, databases: Iterable[str] | None = None, **kwargs: Any) -> Iterator[CheckMessage]:
    """A warning and not an error, because an error would stop ``migrate``, which runs this too."""
    alias = router.db_for_read(SyncState)
    if alias not in (databases or ()):
        return
    try:
        with transaction.atomic(using=alias):
            seen = SyncState.objects.using(alias).mode_mismatch(conf.mode)
    except DatabaseError:  # The table does not exist yet.
        return
    if seen is not None:
        yield Warning(
            f"PARTNERSTACK_MODE is {conf.mode}, but PartnerStack has returned only {seen} data.",
            hint=f"Set the {conf.mode} key pair, or set PARTNERSTACK_MODE to {seen.value!r}.",
            id="partnerstack.W004",
        )


def check_worker(*, databases: Iterable[str] | None = None, **kwargs: Any) -> Iterator[CheckMessage]:
    """A site may do without partnerstack_worker, so only messages that nobody sends are a reason to warn."""
    alias = router.db_for_write(Worker)
    if alias not in (databases or ()) or not conf.push_enabled:
        return
    try:
        with transaction.atomic(using=alias):
            health = worker_health(conf.mode)
            waiting = health.running == 0 and are_messages_left(conf.mode, LEFT_AFTER)
    except DatabaseError:  # The tables do not exist yet.
        return
    if waiting:
        seen = "" if health.seen_at is None else f" The last was seen at {health.seen_at:%Y-%m-%d %H:%M} UTC."
        yield Warning(
            f"Messages have waited for more than an hour, and no worker runs.{seen}",
            hint="Run partnerstack_worker as a service. The README shows how.",
            id="partnerstack.W020",
        )


def check_router(**kwargs: Any) -> Iterator[CheckMessage]:
    """A message must be written in the transaction of the object that it reports."""
    database = router.db_for_write(OutboxMessage)
    for model in {**sources.customers, **sources.transactions}:
        if not model._meta.abstract and router.db_for_write(model) != database:
            yield Error(
                f"{model._meta.label} is written to another database than this app's messages.",
                hint="Let the database router write both to the same database, or remove the source.",
                obj=model,
                id="partnerstack.E022",
            )
