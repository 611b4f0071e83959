"""Backfill: queue objects that no signal reported, such as older rows, bulk writes and raw SQL."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from django.apps import apps
from django.db import IntegrityError, models, router, transaction

from .. import sources
from ..exceptions import InvalidArgument, KeyCollision
from ..identity.customers import Identity, identities_of, record_all
from ..identity.objects import host_object
from ..models import Customer, OutboxMessage, ReportedKey, Transaction
from .operations import CREATE_TRANSACTION, OPERATIONS, SAVE_CUSTOMER
from .queue.builders import Builder, builder_of
from .queue.messages import NewMessage, columns_of, enqueue_all, fingerprint
from .queue.once import collision, gives_way, messages_about
from .queue.reporting import enqueue_report

T = TypeVar("T")

#: Objects compared at a time, and queued in one transaction.
PAGE = 500

#: The most failures that are listed. All are counted.
REPORTED = 20


@dataclass
class Backfilled:
    """
    The result for one model.

    ``known``: objects that were queued before or that PartnerStack has. ``skipped``: objects that their
    source does not report, by reason. ``failed``: objects whose source failed or whose content cannot be
    stored.
    """

    model: type[models.Model]
    queued: int = 0
    known: int = 0
    skipped: Counter[str] = field(default_factory=Counter)
    failed: int = 0
    failures: list[str] = field(default_factory=list)

    @property
    def seen(self) -> int:
        return self.queued + self.known + self.skipped.total() + self.failed

    def fail(self, instance: models.Model, error: Exception) -> None:
        self.failed += 1
        if len(self.failures) < REPORTED:
            self.failures.append(f"{sources.label(instance)}: {type(error).__name__}: {error}")


def reported_models() -> list[type[models.Model]]:
    """The models that the site reports, those of customers before those of transactions."""
    found = (_with_source(registry) for registry in (sources.customers, sources.transactions))
    return list(dict.fromkeys(model for several in found for model in several))


def _with_source(registry: dict[type[models.Model], Any]) -> Iterator[type[models.Model]]:
    for model in apps.get_models():
        inherited = any(sources.find(registry, parent) for parent in model._meta.parents)
        if sources.find(registry, model) and not inherited and not model._meta.proxy:
            yield model


def backfill(
    model: type[models.Model], *, mode: str, dry_run: bool = False, on_page: Callable[[Backfilled], object]
) -> Backfilled:
    """
    Queue the objects of a model that were never queued and that PartnerStack does not have.

    By primary key, each page in its own transaction: safe to interrupt and to repeat. Calls ``on_page`` after
    each page with the counts so far. ``dry_run``: only count.
    """
    job = ModelBackfill(Backfilled(model), mode, dry_run=dry_run)
    for page in _pages(model):
        job.queue_page(page)
        on_page(job.result)
    return job.result


def _pages(model: type[models.Model]) -> Iterator[list[models.Model]]:
    """One query a page, because a cursor would not survive the commits in between."""
    customers = [
        relation.name
        for relation in model._meta.concrete_fields
        if relation.related_model and sources.find(sources.customers, relation.related_model)
    ]
    fields = model._meta.pk_fields
    rows = model._base_manager.using(router.db_for_write(model)).order_by(*(field.name for field in fields))
    rows = rows.select_related(*customers) if customers else rows
    page = list(rows[:PAGE])
    while page:
        yield page
        page = list(rows.filter(_after(page[-1], fields))[:PAGE])


def _after(last: models.Model, fields: Sequence[models.Field[Any, Any]]) -> models.Q:
    """The condition that a row follows another. Its primary key may be composite."""
    first, *rest = fields
    value = getattr(last, first.attname)
    following = models.Q(**{f"{first.attname}__gt": value})
    return following | (models.Q(**{first.attname: value}) & _after(last, rest)) if rest else following


@dataclass(frozen=True)
class Due:
    """An object of a page, and the message that reports it."""

    instance: models.Model
    builder: Builder
    identity: Identity | None
    message: NewMessage

    @property
    def told(self) -> str:
        """The fingerprint of the customer's data; empty if it is no customer."""
        return fingerprint(self.message.payload) if self.message.operation == SAVE_CUSTOMER else ""


class ModelBackfill:
    """Queues the pages of one model."""

    def __init__(self, result: Backfilled, mode: str, *, dry_run: bool) -> None:
        self.result = result
        self.mode = mode
        self.dry_run = dry_run
        self.using = router.db_for_write(result.model)

    def queue_page(self, page: list[models.Model]) -> None:
        """The number of queries does not depend on the number of objects."""
        if sources.find(sources.customers, self.result.model):
            page = self._without_known_customers(page)
        due = self._without_known_messages(self._with_identities(self._each(builder_of, page)))
        if due and not self.dry_run:
            self._queue(due)
        else:
            self.result.queued += sum(not each.message.skipped for each in due)

    def _with_identities(self, built: list[tuple[models.Model, Builder]]) -> list[Due]:
        """Each object with its message. The keys of all customers of the page are read together."""
        builders = dict(built)
        named = self._each(lambda instance: _customer_of(builders[instance]), builders)
        customers = [customer for _, customer in named if customer is not None]
        identities = identities_of(customers, mode=self.mode, using=self.using)

        def due(instance: models.Model) -> Due:
            builder = builders[instance]
            identity = identities[host_object(builder.customer)] if builder.customer is not None else None
            return Due(instance, builder, identity, builder(identity.key if identity else ""))

        return [each for _, each in self._each(due, [instance for instance, _ in named])]

    def _each(
        self, function: Callable[[models.Model], T], page: Iterable[models.Model]
    ) -> list[tuple[models.Model, T]]:
        """Call a function for each object. An error of a source is recorded as a failure of its object."""
        results = []
        for instance in page:
            try:
                results.append((instance, function(instance)))
            except Exception as error:
                self.result.fail(instance, error)
        return results

    def _without_known_customers(self, page: list[models.Model]) -> list[models.Model]:
        """Compare only keys, so that the source is called only for new customers."""
        hosts = self._each(host_object, page)
        saved = [instance for instance, _ in hosts]
        identities = identities_of(saved, mode=self.mode, using=self.using)
        keys = [identity.key for identity in identities.values()]
        mirrored = Customer.objects.using(self.using).filter(mode=self.mode, customer_key__in=keys)
        at_partnerstack = set(mirrored.values_list("customer_key", flat=True))
        known = {
            host
            for host, identity in identities.items()
            if identity.last_reported or identity.key in at_partnerstack
        }
        self.result.known += sum(host in known for _, host in hosts)
        return [instance for instance, host in hosts if host not in known]

    def _without_known_messages(self, found: list[Due]) -> list[Due]:
        """Compare payments and notes with those that were queued, reported or mirrored under the same key."""
        self.result.skipped.update(each.message.skipped for each in found if each.message.skipped)
        dedupe_keys = [each.message.dedupe_key for each in found if each.message.dedupe_key]
        rows = ReportedKey.objects.using(self.using).filter(mode=self.mode, dedupe_key__in=dedupe_keys)
        used = {row.dedupe_key: row for row in rows}
        open_keys = [
            each.message.subject
            for each in found
            if each.message.payload and _is_open(used.get(each.message.dedupe_key))
        ]
        about = messages_about(open_keys, self.mode, self.using) if open_keys else {}
        mirrored = self._mirrored([each.message for each in found if each.message.dedupe_key not in used])
        return [each for each in found if self._is_due(each, used, about, mirrored)]

    def _mirrored(self, messages: list[NewMessage]) -> dict[str, Transaction]:
        keys = [message.subject for message in messages if message.operation == CREATE_TRANSACTION]
        rows = Transaction.objects.using(self.using).filter(mode=self.mode, key__in=keys) if keys else ()
        return {row.key: row for row in rows}

    def _is_due(
        self,
        each: Due,
        used: dict[str, ReportedKey],
        about: dict[str, list[OutboxMessage]],
        mirrored: dict[str, Transaction],
    ) -> bool:
        message = each.message
        row, record = used.get(message.dedupe_key), mirrored.get(message.subject)
        if row is not None:
            columns = columns_of(message, self.mode)
            if gives_way(row, columns, about.get(message.subject, ())):
                return True
            problem = collision(row, columns)
        elif record is not None:
            problem = OPERATIONS[CREATE_TRANSACTION].compare(message.payload, record).difference
            problem = problem and f"PartnerStack has {message.subject!r} already, with {problem}."
        else:
            return True
        if problem:
            self.result.fail(each.instance, KeyCollision(problem))
        else:
            self.result.known += not message.skipped
        return False

    def _queue(self, due: list[Due]) -> None:
        """Queue all with few statements; one by one if one of them fails or was queued meanwhile."""
        try:
            with transaction.atomic(self.using):
                recorded = record_all({each.identity: each.told for each in due if each.identity})
                reports = [(each.message, each.identity and recorded[each.identity]) for each in due]
                enqueue_all(reports, mode=self.mode, using=self.using)
        except (InvalidArgument, IntegrityError):
            for each in due:
                self._queue_one(each)
        else:
            self.result.queued += sum(not each.message.skipped for each in due)

    def _queue_one(self, each: Due) -> None:
        try:
            message, is_new = enqueue_report(each.builder, mode=self.mode, using=self.using)
        except (InvalidArgument, KeyCollision) as error:
            self.result.fail(each.instance, error)
        else:
            self.result.queued += is_new and not message.skipped
            self.result.known += not is_new and not message.skipped


def _is_open(row: ReportedKey | None) -> bool:
    return row is not None and row.reported_at is None


def _customer_of(builder: Builder) -> models.Model | None:
    """Raises SourceError for a customer that was not saved."""
    if builder.customer is not None:
        host_object(builder.customer)
    return builder.customer
