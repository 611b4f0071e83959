"""Backfill: queue objects that no signal reported, such as older rows, bulk writes and raw SQL."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, TypeVar

from django.apps import apps
from django.db import IntegrityError, models, router, transaction

from .. import sources
from ..exceptions import InvalidArgument
from ..models import Customer, OutboxMessage, ReportedKey, Transaction
from .operations import CREATE_TRANSACTION, OPERATIONS, customer_snapshots
from .queue.builders import message_of
from .queue.messages import NewMessage, enqueue, enqueue_all

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
    rows = model._base_manager.using(router.db_for_write(model)).order_by("pk")
    rows = rows.select_related(*customers) if customers else rows
    page = list(rows[:PAGE])
    while page:
        yield page
        page = list(rows.filter(pk__gt=page[-1].pk)[:PAGE])


class ModelBackfill:
    """Queues the pages of one model."""

    def __init__(self, result: Backfilled, mode: str, *, dry_run: bool) -> None:
        self.result = result
        self.mode = mode
        self.dry_run = dry_run
        self.using = router.db_for_write(result.model)
        self.messages = OutboxMessage.objects.using(self.using).filter(mode=mode)

    def queue_page(self, page: list[models.Model]) -> None:
        """The number of queries does not depend on the number of objects."""
        if sources.find(sources.customers, self.result.model):
            page = self._without_known_customers(page)
        messages = self._without_known_messages(self._each(message_of, page))
        if messages and not self.dry_run:
            with transaction.atomic(self.using):
                self._queue(messages)
        else:
            self.result.queued += sum(not message.skipped for _, message in messages)

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
        keyed = self._each(sources.customer_key, page)
        keys = [key for _, key in keyed]
        queued = self.messages.filter(subject__in=keys, operation__in=customer_snapshots())
        mirrored = Customer.objects.using(self.using).filter(mode=self.mode, customer_key__in=keys)
        known = {*queued.values_list("subject", flat=True), *mirrored.values_list("customer_key", flat=True)}
        self.result.known += sum(key in known for _, key in keyed)
        return [instance for instance, key in keyed if key not in known]

    def _without_known_messages(
        self, messages: list[tuple[models.Model, NewMessage]]
    ) -> list[tuple[models.Model, NewMessage]]:
        """Compare the dedupe keys of payments and notes with those that were queued, reported or mirrored."""
        self.result.skipped.update(message.skipped for _, message in messages if message.skipped)
        dedupe_keys = [message.dedupe_key for _, message in messages if message.dedupe_key]
        reported = ReportedKey.objects.using(self.using).filter(mode=self.mode, dedupe_key__in=dedupe_keys)
        queued = self.messages.filter(dedupe_key__in=dedupe_keys).order_by()
        # In one statement, so that a key is found even if its message is pruned at this moment.
        once = queued.values_list("dedupe_key", flat=True).union(
            reported.values_list("dedupe_key", flat=True)
        )
        # Since Django 6.1 a union has the model's ordering unless it is cleared.
        once = once.order_by()
        keys = [message.subject for _, message in messages if message.operation == CREATE_TRANSACTION]
        mirrored = Transaction.objects.using(self.using).filter(mode=self.mode, key__in=keys)
        at_partnerstack = mirrored.values_list("key", flat=True)
        known = {
            *once,
            *(OPERATIONS[CREATE_TRANSACTION].dedupe_key({"key": key}) for key in at_partnerstack),
        }
        self.result.known += sum(
            message.dedupe_key in known and not message.skipped for _, message in messages
        )
        return [(instance, message) for instance, message in messages if message.dedupe_key not in known]

    def _queue(self, messages: list[tuple[models.Model, NewMessage]]) -> None:
        """Queue all with one INSERT; one by one if one of them cannot be stored or was queued meanwhile."""
        try:
            enqueue_all([message for _, message in messages], mode=self.mode, using=self.using)
        except (InvalidArgument, IntegrityError):
            for instance, message in messages:
                self._queue_one(instance, message)
        else:
            self.result.queued += sum(not message.skipped for _, message in messages)

    def _queue_one(self, instance: models.Model, message: NewMessage) -> None:
        try:
            is_new = enqueue(message, mode=self.mode, using=self.using)
        except InvalidArgument as error:
            self.result.fail(instance, error)
        else:
            self.result.queued += is_new and not message.skipped
            self.result.known += not is_new and not message.skipped
