"""Backfill: queue what no signal reported, such as older rows, and what bulk writes and raw SQL changed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from typing import Any

from django.apps import apps
from django.db import IntegrityError, models, router, transaction
from django.utils import timezone

from .. import sources
from ..exceptions import InvalidArgument
from ..models import SourceFailure
from . import last_reported
from .operations import SAVE_CUSTOMER
from .queue.builders import message_of, reference
from .queue.messages import NewMessage, enqueue, enqueue_all, fingerprint
from .queue.source_failures import operation_of, record_failures

#: Objects compared at a time, and queued in one transaction.
PAGE = 500

#: The most failures and differing payments that are listed. All are counted.
REPORTED = 20

#: Objects of the site with their messages.
Messages = list[tuple[models.Model, NewMessage]]


@dataclass
class Backfilled:
    """
    The result for one model.

    ``queued``: objects that were never queued. ``changed``: customers whose data differ from what was last
    reported, queued as updates. ``known``: objects that were queued before or that PartnerStack has.
    ``differing``: known payments whose amount, currency or customer differs from what was reported; they are
    not queued. ``skipped``: objects that their source does not report, by reason. ``failed``: objects whose
    source failed or whose content cannot be stored.
    """

    model: type[models.Model]
    queued: int = 0
    changed: int = 0
    known: int = 0
    differing: int = 0
    differences: list[str] = field(default_factory=list)
    skipped: Counter[str] = field(default_factory=Counter)
    failed: int = 0
    failures: list[str] = field(default_factory=list)

    @property
    def seen(self) -> int:
        return self.queued + self.changed + self.known + self.differing + self.skipped.total() + self.failed

    def fail(self, instance: models.Model, error: Exception) -> None:
        self.failed += 1
        if len(self.failures) < REPORTED:
            self.failures.append(f"{sources.label(instance)}: {type(error).__name__}: {error}")

    def differ(self, instance: models.Model, difference: str) -> None:
        self.differing += 1
        if len(self.differences) < REPORTED:
            self.differences.append(f"{sources.label(instance)}: {difference}")


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
    Queue the objects of a model that PartnerStack does not have, and the customers whose data have changed.

    Asks the source of every object, also of those that could not be reported before. By primary key, each
    page in its own transaction: safe to interrupt and to repeat. Calls ``on_page`` after each page with the
    counts so far. ``dry_run``: only count.
    """
    job = ModelBackfill(Backfilled(model), mode, dry_run=dry_run)
    for page in _pages(model):
        job.queue_page(page)
        on_page(job.result)
    job.forget(job.failed_before.values())  # Their objects no longer exist.
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
        page = list(rows.filter(pk__gt=page[-1].pk)[:PAGE]) if len(page) == PAGE else []


class ModelBackfill:
    """Queues the pages of one model. The number of queries for a page does not depend on what it contains."""

    def __init__(self, result: Backfilled, mode: str, *, dry_run: bool) -> None:
        self.result = result
        self.mode = mode
        self.dry_run = dry_run
        self.using = router.db_for_write(result.model)
        self.changed: set[str] = set()
        self.failed: dict[tuple[str, str], Exception] = {}
        label = result.model._meta.label_lower
        failures = SourceFailure.objects.using(self.using).filter(mode=mode, source=label)
        #: reference: the primary key of the failure.
        self.failed_before = {(label, pk): found for found, pk in failures.values_list("pk", "source_pk")}

    def queue_page(self, page: list[models.Model]) -> None:
        self.failed = {}
        messages = self._due(self._messages(page))
        if self.dry_run:
            for _, message in messages:
                self._count(message, is_new=True)
            return
        if messages:
            self._queue(messages)
        self._note_failures(page)

    def _messages(self, page: list[models.Model]) -> Messages:
        """The message of each object. An error of a source is recorded as a failure of its object."""
        messages = []
        for instance in page:
            try:
                messages.append((instance, message_of(instance)))
            except Exception as error:
                self._fail(instance, error)
        self.result.skipped.update(message.skipped for _, message in messages if message.skipped)
        return messages

    def _due(self, messages: Messages) -> Messages:
        """The messages to queue. Counts the others."""
        customers = [message.subject for _, message in messages if self._is_customer(message)]
        once = [message.dedupe_key for _, message in messages if message.dedupe_key]
        last = last_reported.customers(customers, mode=self.mode, using=self.using) if customers else {}
        known = last_reported.payments(once, mode=self.mode, using=self.using) if once else {}
        return [
            (instance, message)
            for instance, message in messages
            if (
                self._is_new_or_changed(message, last)
                if self._is_customer(message)
                else self._is_new(instance, message, known.get(message.dedupe_key))
            )
        ]

    def _is_customer(self, message: NewMessage) -> bool:
        return message.operation == SAVE_CUSTOMER and not message.skipped

    def _is_new_or_changed(self, message: NewMessage, last: dict[str, str | None]) -> bool:
        if message.subject not in last:
            return True
        if last[message.subject] in (None, fingerprint(message.payload)):
            self.result.known += 1
            return False
        self.changed.add(message.subject)
        return True

    def _is_new(
        self, instance: models.Model, message: NewMessage, known: last_reported.Payment | None
    ) -> bool:
        """Whether a payment, or a note, was not queued before. A payment that failed may be corrected."""
        if known is None or message.skipped:
            return known is None
        if known.failed and known.content != message.payload:
            return True
        if difference := known.difference(message.payload):
            self.result.differ(instance, difference)
        else:
            self.result.known += 1
        return False

    def _queue(self, messages: Messages) -> None:
        """Queue all with one INSERT; one by one if one of them cannot be stored or was queued meanwhile."""
        try:
            enqueue_all([message for _, message in messages], mode=self.mode, using=self.using)
        except (InvalidArgument, IntegrityError):
            with transaction.atomic(self.using):
                for instance, message in messages:
                    self._queue_one(instance, message)
        else:
            for _, message in messages:
                self._count(message, is_new=True)

    def _queue_one(self, instance: models.Model, message: NewMessage) -> None:
        try:
            is_new = enqueue(message, mode=self.mode, using=self.using)
        except InvalidArgument as error:
            self._fail(instance, error)
        else:
            self._count(message, is_new=is_new)

    def _count(self, message: NewMessage, *, is_new: bool) -> None:
        if message.skipped:
            return
        if not is_new:
            self.result.known += 1
        elif message.subject in self.changed:
            self.result.changed += 1
        else:
            self.result.queued += 1

    def _fail(self, instance: models.Model, error: Exception) -> None:
        self.result.fail(instance, error)
        self.failed[reference(instance)] = error

    def _note_failures(self, page: list[models.Model]) -> None:
        """Record the failures of this page, and forget those of objects that did not fail again."""
        before = {source: self.failed_before.pop(source, None) for source in map(reference, page)}
        self.forget([pk for source, pk in before.items() if pk and source not in self.failed])
        if self.failed:
            operation = operation_of(self.result.model)
            record_failures(self.failed, operation, mode=self.mode, using=self.using, now=timezone.now())

    def forget(self, failures: Collection[int]) -> None:
        if failures and not self.dry_run:
            SourceFailure.objects.using(self.using).filter(pk__in=list(failures)).delete()
