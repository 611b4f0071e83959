"""What this site's own settings, tables and sources say. Reads only."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.core import checks
from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError, connections, models, router
from django.db.migrations.executor import MigrationExecutor

from ... import sources
from ...conf import conf
from ...identity.primary_keys import root_of
from ...models import CustomerIdentity, OutboxMessage, ReportedKey
from ..findings import Finding, Severity, finding
from ..status import health, summary
from ..status.tables import lacks_tables
from .in_parallel import together
from .item import Item

#: Seconds in which a database that is not frozen answers.
SECONDS = 5.0

SETTINGS = "Settings and middleware"

#: Checks of the keys, the mode and the worker: the doctor itself sees them, and as they are now.
EXAMINED_HERE = ("partnerstack.W001", "partnerstack.W004", "partnerstack.W020")


def database_alias() -> str:
    return router.db_for_write(OutboxMessage)


def examine_database() -> Item:
    """Whether the database answers, and has this app's tables as they are now."""
    alias = database_alias()
    answer = together({alias: lambda: _connect(alias)}, SECONDS)[alias]
    if isinstance(answer, Exception):
        reason = " ".join(str(answer).split()).rstrip(".")
        return Item("Database", findings=(finding("database-silent", reason=reason),))
    executor = MigrationExecutor(connections[alias])
    leaves = executor.loader.graph.leaf_nodes("partnerstack")
    if executor.migration_plan(leaves) or lacks_tables(alias):
        return Item("Database", findings=(finding("tables-missing"),))
    return Item("Database", f"{connections[alias].display_name}; the tables are up to date.")


def _connect(alias: str) -> None:
    try:
        with connections[alias].cursor() as cursor:
            cursor.execute("SELECT 1")
    finally:
        connections[alias].close()


def examine_status() -> Iterator[Item]:
    """The figures of the database, as ``status.health()`` judges them."""
    now = health()
    yield Item("Status", summary.messages(now), now.findings)
    yield Item("Worker", summary.workers(now))


def examine_settings() -> Item:
    """What ``manage.py check`` says about this app: settings, middleware, the domain of the cookie."""
    return Item(SETTINGS, "The system checks find nothing.", _checked([]))


def examine_data() -> Item:
    """What ``manage.py check --database`` says besides: the character set, and what the tables contain."""
    found = _checked([each.alias for each in connections.all()])
    known = _checked([])
    return Item("Data", "The checks of the database find nothing.", tuple(f for f in found if f not in known))


def _checked(databases: list[str]) -> tuple[Finding, ...]:
    messages = checks.run_checks(tags=["partnerstack"], databases=databases)
    shown = (message for message in messages if message.id not in EXAMINED_HERE)
    return tuple(_of_check(message) for message in shown if not message.is_silenced())


def _of_check(message: checks.CheckMessage) -> Finding:
    severity = Severity.ERROR if message.level >= checks.ERROR else Severity.WARN
    if message.level < checks.WARNING:
        severity = Severity.INFO
    return Finding(str(message.id), severity, str(message.msg), str(message.hint or ""))


def examine_sources() -> Item:
    """Which models the site reports, and which of them have objects although none was ever reported."""
    customers, payments = list(sources.customers), list(sources.transactions)
    names = [
        f"{kind}: {', '.join(model._meta.label for model in reported)}"
        for kind, reported in (("customers", customers), ("payments", payments))
        if reported
    ]
    unreported = [model for model in customers if not _is_customer_known(model) and _has_objects(model)]
    unreported += [model for model in payments if not _is_payment_known(model) and _has_objects(model)]
    found = tuple(finding("never-reported", model=model._meta.label) for model in unreported)
    return Item("Sources", f"{'; '.join(names) or 'None: your code reports with track'}.", found)


def _has_objects(model: type[models.Model]) -> bool:
    if model._meta.abstract:
        return False
    try:
        return bool(model._base_manager.order_by().exists())
    except (DatabaseError, ImproperlyConfigured):  # The site's own tables are not the doctor's concern.
        return False


def _is_customer_known(model: type[models.Model]) -> bool:
    if model._meta.abstract:
        return True
    identities = CustomerIdentity.objects.using(database_alias()).filter(mode=conf.mode)
    return identities.filter(table=root_of(model)._meta.db_table).exists() or _is_queued(model)


def _is_payment_known(model: type[models.Model]) -> bool:
    keys = ReportedKey.objects.using(database_alias()).filter(mode=conf.mode)
    return keys.filter(source=model._meta.label_lower).exists() or _is_queued(model)


def _is_queued(model: Any) -> bool:
    messages = OutboxMessage.objects.using(database_alias()).filter(mode=conf.mode)
    return messages.filter(source=model._meta.label_lower).exists()
