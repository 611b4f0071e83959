"""Checks of what the database contains, and of where routers write."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from typing import Any

from django.core.checks import CheckMessage, Error, Warning
from django.db import DatabaseError, connections, router, transaction

from .. import sources
from ..conf import conf
from ..identity.relabel import lost_labels
from ..insight.status import health, lacks_tables
from ..models import CustomerIdentity, OutboxMessage, State, SyncState, Worker
from ..outbox.agreement import ANOTHER_EMAIL
from ..outbox.operations import creating_customers

OTHER_CHARACTER_SETS = """
    SELECT table_name, table_collation FROM information_schema.tables
    WHERE table_schema = DATABASE() AND table_name LIKE 'partnerstack%'
    AND table_collation NOT LIKE 'utf8mb4%'
    ORDER BY table_name
"""


def check_tables(*, databases: Iterable[str] | None = None, **kwargs: Any) -> Iterator[CheckMessage]:
    """A warning and not an error, because an error would stop ``migrate``, which is not asked to migrate."""
    alias = router.db_for_write(OutboxMessage)
    if alias not in (databases or ()) or sys.argv[1:2] == ["migrate"]:
        return
    try:
        is_lacking = lacks_tables(alias)
    except DatabaseError:  # The database does not answer, which other checks say.
        return
    if is_lacking:
        yield Warning(
            "This app's tables are missing or outdated.",
            hint="Run: manage.py migrate partnerstack",
            id="partnerstack.W024",
        )


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
            f"PARTNERSTACK_MODE is {conf.mode}, but PartnerStack returns {seen} data.",
            hint=f"Set the {conf.mode} key pair, or set PARTNERSTACK_MODE to {seen.value!r}.",
            id="partnerstack.W004",
        )


def check_worker(*, databases: Iterable[str] | None = None, **kwargs: Any) -> Iterator[CheckMessage]:
    """A site may do without partnerstack_worker, so only messages that nobody sends are a reason to warn."""
    alias = router.db_for_write(Worker)
    if alias not in (databases or ()):
        return
    now = health()
    if now.find("no-worker"):
        seen_at = now.workers.seen_at
        seen = "" if seen_at is None else f" The last was seen at {seen_at:%Y-%m-%d %H:%M} UTC."
        yield Warning(
            f"Messages have waited for more than an hour, and no worker runs.{seen}",
            hint="Run partnerstack_worker as a service. The README shows how.",
            id="partnerstack.W020",
        )


def check_foreign_keys(*, databases: Iterable[str] | None = None, **kwargs: Any) -> Iterator[CheckMessage]:
    """A customer key that belongs to somebody else suggests another site, or database, on the account."""
    alias = router.db_for_read(OutboxMessage)
    if alias not in (databases or ()):
        return
    foreign = OutboxMessage.objects.using(alias).filter(
        mode=conf.mode,
        state=State.FAILED,
        operation__in=creating_customers(),
        reason__contains=ANOTHER_EMAIL,
    )
    try:
        with transaction.atomic(using=alias):
            keys = list(foreign.order_by("pk").values_list("subject", flat=True)[:3])
    except DatabaseError:  # The table does not exist yet.
        return
    if keys:
        yield Warning(
            f"PartnerStack has other customers under keys of this site, such as {', '.join(keys)}.",
            hint="If another site, or an earlier database, reports to the same account, set "
            "PARTNERSTACK_KEY_PREFIX on this one.",
            id="partnerstack.W021",
        )


def check_character_set(*, databases: Iterable[str] | None = None, **kwargs: Any) -> Iterator[CheckMessage]:
    """MySQL and MariaDB store all of Unicode only as utf8mb4."""
    alias = router.db_for_write(OutboxMessage)
    if alias not in (databases or ()) or connections[alias].vendor != "mysql":
        return
    with connections[alias].cursor() as cursor:
        cursor.execute("SELECT @@character_set_database")
        [database] = cursor.fetchone()
        cursor.execute(OTHER_CHARACTER_SETS)
        tables = [f"table {name}: {collation}" for name, collation in cursor.fetchall()]
    others = [f"database: {database}"] * (database != "utf8mb4") + tables
    if others:
        yield Warning(
            f"MySQL or MariaDB cannot store all texts of PartnerStack here ({', '.join(others)}).",
            hint="Convert the database and this app's tables to utf8mb4: ALTER TABLE … CONVERT TO CHARACTER "
            "SET utf8mb4.",
            id="partnerstack.W022",
        )


def check_labels(*, databases: Iterable[str] | None = None, **kwargs: Any) -> Iterator[CheckMessage]:
    """A renamed model would be unknown customers to this app, without a partner."""
    alias = router.db_for_write(CustomerIdentity)
    if alias not in (databases or ()):
        return
    try:
        with transaction.atomic(using=alias):
            lost = lost_labels(alias)
    except DatabaseError:  # The table does not exist yet.
        return
    for label in lost:
        yield Warning(
            f"Customers of {label} were reported, but no model has this label and table any more.",
            hint=f"If the model was renamed or moved, run: manage.py partnerstack_relabel {label} NEW_LABEL",
            id="partnerstack.W011",
        )


def check_other_databases(*, databases: Iterable[str] | None = None, **kwargs: Any) -> Iterator[CheckMessage]:
    """Without a router, an object that is saved in another database has its messages there."""
    alias = router.db_for_write(OutboxMessage)
    for other in databases or ():
        if other == alias or other not in connections.settings:
            continue
        left = OutboxMessage.objects.using(other).filter(mode=conf.mode, state=State.QUEUED)
        try:
            with transaction.atomic(using=other):
                is_left = left.exists()
        except DatabaseError:  # The database has no tables of this app.
            continue
        if is_left:
            yield Warning(
                f"The database {other!r} has messages that no worker sends; workers send those of {alias!r}.",
                hint=f"Let the database router write the models with a source to {alias!r}. Report the "
                f"objects of {other!r} again from there.",
                id="partnerstack.W023",
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
