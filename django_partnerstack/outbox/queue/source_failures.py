"""Objects that could not be reported: recorded for an operator, and forgotten once they are reported."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime

from django.apps import apps
from django.db import Error, models, router, transaction
from django.db.models import F, QuerySet
from django.utils import timezone

from ... import sources
from ...conf import conf
from ...exceptions import PaymentConflict
from ...identity.references import HostObject, Reference, loaded, reference
from ...mapping.text import storable
from ...models import CustomerIdentity, OutboxMessage, SourceFailure
from ..operations import CREATE_TRANSACTION, SAVE_CUSTOMER
from .conflicts import withdraw_collisions

logger = logging.getLogger(__name__)

#: The most characters of an error that are kept.
LONGEST_ERROR = 2000

#: The table, namespace and primary key of an object.
Row = tuple[str, str, str]


def record_failures(
    failed: Mapping[Reference, BaseException], operation: str, *, mode: str, using: str, now: datetime
) -> None:
    """
    Record that objects could not be reported, in the caller's transaction. Takes four queries at most.
    Objects of forgotten customers are left out: an error may quote their data.

    Has a savepoint of its own, so that its errors do not break the caller's transaction: they are logged.
    """
    texts = {source.row: (source, text_of(error)) for source, error in failed.items()}
    failures = SourceFailure.objects.using(using)
    try:
        with transaction.atomic(using):
            for row in _forgotten(texts, mode, using):
                texts.pop(row, None)
            known = failures.filter(mode=mode, source_pk__in=[pk for _, _, pk in texts]).order_by("pk")
            again = {_row(each): each for each in known if _row(each) in texts}
            for which, each in again.items():
                source, each.error = texts[which]
                each.source, each.operation, each.last_failed_at = source.label, operation, now
                each.times = F("times") + 1
            new = [
                SourceFailure(
                    mode=mode,
                    source=source.label,
                    table=table,
                    namespace=namespace,
                    source_pk=pk,
                    operation=operation,
                    error=text,
                    first_failed_at=now,
                    last_failed_at=now,
                )
                for (table, namespace, pk), (source, text) in texts.items()
                if (table, namespace, pk) not in again
            ]
            changes = ["source", "operation", "error", "last_failed_at", "times"]
            failures.bulk_update(again.values(), changes)
            # Another process may just have recorded the same object.
            failures.bulk_create(new, ignore_conflicts=True)
    except Error as problem:
        logger.warning("The failures of %s could not be recorded: %s", list(texts), problem)


def _forgotten(rows: Collection[Row], mode: str, using: str) -> QuerySet[CustomerIdentity, Row]:
    identities = CustomerIdentity.objects.using(using).filter(mode=mode, forgotten_at__isnull=False)
    same_pk = identities.filter(object_pk__in=[pk for _, _, pk in rows])
    return same_pk.values_list("table", "namespace", "object_pk")


def _row(failure: SourceFailure) -> Row:
    return failure.table, failure.namespace, failure.source_pk


def text_of(error: BaseException) -> str:
    """An error of a source as it is kept: short, without keys, and as every database can store it."""
    return storable(conf.without_keys(f"{type(error).__name__}: {error}"))[:LONGEST_ERROR]


def forget_failures(reported: Mapping[tuple[str, Reference], int | None], *, mode: str, using: str) -> None:
    """
    Delete the failures of objects that are reported now, and withdraw their collisions with other objects.

    ``reported``: the operation and the object, with the message that reports it; None if its source was asked
    just now. Takes two queries at most if there are none.
    """
    _delete_failures(reported, mode=mode, using=using)
    payments = {
        source: message
        for (operation, source), message in reported.items()
        if operation == CREATE_TRANSACTION
    }
    withdraw_collisions(payments, mode=mode, using=using)


def _delete_failures(reported: Collection[tuple[str, Reference]], *, mode: str, using: str) -> None:
    done = {(operation, source.row) for operation, source in reported if source.label}
    if not done:
        return
    failures = SourceFailure.objects.using(using).filter(mode=mode)
    same_pk = failures.filter(source_pk__in={pk for _, (_, _, pk) in done}).order_by()
    rows = same_pk.values_list("pk", "operation", "table", "namespace", "source_pk")
    forgotten = [pk for pk, operation, *row in rows if (operation, tuple(row)) in done]
    if forgotten:
        failures.filter(pk__in=forgotten).delete()


def object_failed(instance: models.Model, error: Exception) -> None:
    """
    Record that this object of the site could not be reported.

    A payment in conflict with what was reported has a failed message already, so it is not recorded twice.
    """
    using = database_of(instance)
    source, operation = reference(instance), operation_of(type(instance))
    if isinstance(error, PaymentConflict):
        _delete_failures({(operation, source)}, mode=conf.mode, using=using)
    else:
        record_failures({source: error}, operation, mode=conf.mode, using=using, now=timezone.now())


def object_reported(instance: models.Model) -> None:
    """Delete the failure of this object of the site, if it had one. Takes two queries if it had none."""
    done = (operation_of(type(instance)), reference(instance))
    forget_failures({done: None}, mode=conf.mode, using=database_of(instance))


def forget_after_commit(instance: models.Model) -> None:
    """Call ``object_reported`` after the commit, where its errors cannot harm the caller's transaction."""
    done, mode, using = (operation_of(type(instance)), reference(instance)), conf.mode, database_of(instance)
    transaction.on_commit(lambda: forget_failures({done: None}, mode=mode, using=using), using, robust=True)


def operation_of(model: type[models.Model]) -> str:
    """The operation that reports the objects of a model with a source."""
    is_customer = sources.find(sources.customers, model) is not None
    return SAVE_CUSTOMER if is_customer else CREATE_TRANSACTION


@contextmanager
def failed_object(failure: SourceFailure) -> Iterator[models.Model | None]:
    """
    The object of a failure, in its database and schema; None if it or its model was removed.

    Raises ValueError if the model has another kind of primary key now.
    """
    try:
        model = apps.get_model(failure.source)
    except LookupError:
        yield None
        return
    host = HostObject(failure.table, failure.namespace, failure.source_pk, failure.source)
    with loaded(host, model) as instance:
        yield instance


def database_of(instance: models.Model) -> str:
    """As that of the messages about the object."""
    return router.db_for_write(OutboxMessage, instance=instance)
