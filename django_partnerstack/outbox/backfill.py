"""Backfill: queue what no signal reported, such as older rows, and what bulk writes and raw SQL changed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection
from dataclasses import dataclass, field

from django.db import IntegrityError, models, router, transaction
from django.utils import timezone

from .. import sources
from ..exceptions import InvalidArgument, KeyCollision, PaymentConflict
from ..identity.recorded import record_all
from ..identity.references import Reference, namespace_of, reference, table_of
from ..models import ReportedKey, SourceFailure
from .compare_with_reported import LastReported, Status, is_customer
from .queue.conflicts import Conflict, end_collisions, show_conflicts, withdraw_conflicts
from .queue.enqueue_report import enqueue_report
from .queue.messages import enqueue_all
from .queue.new_message import NewMessage, columns_of
from .queue.source_failures import operation_of, record_failures
from .site_objects import Described, describe, pages_of

#: The most failures and differing payments that are listed. All are counted.
REPORTED = 20


@dataclass
class Backfilled:
    """
    The result for one model.

    ``queued``: objects that were never queued. ``changed``: customers whose data differ from what was last
    reported, queued as updates. ``known``: objects that were queued before or that PartnerStack has.
    ``differing``: known payments whose amount, currency or customer differs from what was reported; they are
    not queued. ``skipped``: objects that their source does not report, by reason. ``failed``: objects whose
    source failed or whose content cannot be stored. ``forgotten``: objects of forgotten customers.
    """

    model: type[models.Model]
    queued: int = 0
    changed: int = 0
    known: int = 0
    differing: int = 0
    differences: list[str] = field(default_factory=list)
    skipped: Counter[str] = field(default_factory=Counter)
    forgotten: int = 0
    failed: int = 0
    failures: list[str] = field(default_factory=list)

    @property
    def seen(self) -> int:
        counts = (self.queued, self.changed, self.known, self.differing, self.forgotten, self.failed)
        return sum(counts) + self.skipped.total()

    def fail(self, instance: models.Model, error: Exception) -> None:
        self.failed += 1
        if len(self.failures) < REPORTED:
            self.failures.append(f"{sources.label(instance)}: {type(error).__name__}: {error}")

    def differ(self, instance: models.Model, difference: str) -> None:
        self.differing += 1
        if len(self.differences) < REPORTED:
            self.differences.append(f"{sources.label(instance)}: {difference}")


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
    for page in pages_of(model):
        job.queue_page(page)
        on_page(job.result)
    job.forget(job.failed_before.values())  # Their objects no longer exist.
    return job.result


class ModelBackfill:
    """Queues the pages of one model. The number of queries for a page does not depend on what it contains."""

    def __init__(self, result: Backfilled, mode: str, *, dry_run: bool) -> None:
        self.result = result
        self.mode = mode
        self.dry_run = dry_run
        self.using = router.db_for_write(result.model)
        self.changed: set[str] = set()
        self.failed: dict[Reference, Exception] = {}
        #: Payments of the page that are in conflict with what was reported, and those that agree again.
        self.conflicts: list[Conflict] = []
        self.agreeing: list[ReportedKey] = []
        #: The collisions that were shown before, by the primary keys of their objects.
        self.collisions: dict[str, ReportedKey] = {}
        table, namespace = table_of(result.model._meta.label_lower), namespace_of(result.model, self.using)
        failures = SourceFailure.objects.using(self.using).filter(mode=mode, table=table, namespace=namespace)
        #: The failures of the model's objects by primary key, each with its own primary key.
        self.failed_before = dict(failures.values_list("source_pk", "pk"))

    def queue_page(self, page: list[models.Model]) -> None:
        self.failed, self.conflicts, self.agreeing, self.collisions = {}, [], [], {}
        due = self._due(self._messages(page))
        if self.dry_run:
            for each in due:
                self._count(each.message, is_new=True)
            return
        if due:
            self._queue(due)
        self._note_failures(page)
        self._show_conflicts()

    def _messages(self, page: list[models.Model]) -> list[Described]:
        described = describe(page, mode=self.mode, using=self.using, on_error=self._fail)
        messages = [each for each in described if not (each.identity and each.identity.forgotten)]
        self.result.forgotten += len(described) - len(messages)
        self.result.skipped.update(each.message.skipped for each in messages if each.message.skipped)
        return messages

    def _due(self, found: list[Described]) -> list[Described]:
        """What to queue. Counts the others."""
        reported = LastReported([each.message for each in found], mode=self.mode, using=self.using)
        due = []
        for each in found:
            compared = reported.compare(each.message, each.identity)
            if (note := reported.collision(each.message)) is not None:
                self.collisions[each.message.source.pk] = note
            if compared.status in (Status.NEW, Status.CHANGED):
                due.append(each)
            if compared.status == Status.CHANGED:
                self.changed.add(each.message.subject)
            elif compared.status == Status.KNOWN:
                self._know(each, compared.key)
            elif compared.status == Status.DIFFERING:
                self.result.differ(each.instance, compared.difference)
                if compared.key is not None and compared.key.conflict is not None:
                    self._conflict(each, compared.difference)  # Show what it differs in now.
            elif compared.status == Status.TAKEN:
                self.result.fail(each.instance, KeyCollision(compared.difference))
                self._conflict(each, compared.difference)
        return due

    def _know(self, each: Described, key: ReportedKey | None) -> None:
        self.result.known += not each.message.skipped
        if key is not None and key.conflict is not None:
            self.agreeing.append(key)

    def _conflict(self, each: Described, reason: str) -> None:
        self.conflicts.append((columns_of(each.message, self.mode), reason))

    def _queue(self, due: list[Described]) -> None:
        """Queue all with few statements; one by one if one of them fails or was queued meanwhile."""
        try:
            with transaction.atomic(self.using):
                recorded = record_all({each.identity: last_reported(each) for each in due if each.identity})
                reports = [(each.message, each.identity and recorded[each.identity]) for each in due]
                enqueue_all(reports, mode=self.mode, using=self.using)
        except (InvalidArgument, IntegrityError):
            for each in due:
                self._queue_one(each)
        else:
            for each in due:
                self._count(each.message, is_new=True)

    def _queue_one(self, each: Described) -> None:
        try:
            message, is_new = enqueue_report(each.builder, mode=self.mode, using=self.using)
        except PaymentConflict as error:
            self.result.fail(each.instance, KeyCollision(str(error)))
            self._conflict(each, str(error))
        except (InvalidArgument, KeyCollision) as error:
            self._fail(each.instance, error)
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
        before = {source: self.failed_before.pop(source.pk, None) for source in map(reference, page)}
        self.forget([pk for source, pk in before.items() if pk and source not in self.failed])
        if self.failed:
            operation = operation_of(self.result.model)
            record_failures(self.failed, operation, mode=self.mode, using=self.using, now=timezone.now())

    def _show_conflicts(self) -> None:
        """Show the conflicts of this page, and withdraw those that have ended."""
        show_conflicts(self.conflicts, mode=self.mode, using=self.using)
        withdraw_conflicts(self.agreeing, self.using)
        taken = {row["source_pk"] for row, _ in self.conflicts}
        end_collisions([note for pk, note in self.collisions.items() if pk not in taken], self.using)

    def forget(self, failures: Collection[int]) -> None:
        if failures and not self.dry_run:
            SourceFailure.objects.using(self.using).filter(pk__in=list(failures)).delete()


def last_reported(each: Described) -> str:
    """The fingerprint of a customer's data; empty if it is no customer."""
    return each.message.fingerprint if is_customer(each.message) else ""
