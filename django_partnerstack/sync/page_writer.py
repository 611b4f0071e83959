"""What happens to the pages of a sync: ``PageWriter`` stores them, ``DryRun`` only compares them."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

from django.db import DataError, IntegrityError, router, transaction
from django.db.models import Exists, OuterRef, QuerySet

from .. import telemetry
from ..client import Page
from ..exceptions import RecordError
from ..mapping import Difference, announce, compare, store, without_forgotten
from ..models import SyncSeen, SyncState
from ..models.bulk import insert
from ..resources import Resource
from .checkpoint import Checkpoint
from .lease import ResourceLease

LONGEST_KEY: int = SyncSeen._meta.get_field("key").max_length  # type: ignore[assignment]


class PageWriter:
    """Stores each page and its checkpoint in one transaction, as long as the run has the lease."""

    def __init__(self, resource: Resource, lease: ResourceLease) -> None:
        self.resource = resource
        self.lease = lease
        self.mode = lease.mode
        self.using = router.db_for_write(resource.model)

    def begin(self, checkpoint: Checkpoint) -> None:
        """Delete the keys that an abandoned sync has seen. A resumed sync still needs its keys."""
        if checkpoint.is_at_start:
            SyncSeen.objects.filter(state=self.lease.state).delete()

    def write(self, page: Page, checkpoint: Checkpoint) -> tuple[Page, Difference]:
        """
        Store a page, with the checkpoint that follows it, and announce it.

        Returns the page as it was stored: an object that the database refuses becomes unusable.
        """
        try:
            difference = self._store(page, checkpoint)
        except (DataError, IntegrityError):
            page = self._without_refused(page)
            difference = self._store(page, checkpoint)
        announce(self.resource.model, difference, mode=self.mode)
        telemetry.count_synced(
            self.resource.name,
            self.mode,
            created=len(difference.created),
            updated=len(difference.updated),
            unchanged=difference.unchanged,
            unusable=len(page.unusable),
        )
        return page, difference

    def _store(self, page: Page, checkpoint: Checkpoint) -> Difference:
        now = self.lease.now()
        with transaction.atomic(self.using, durable=True):
            # First, so that a run without the lease fails before it writes, and another run waits here.
            self.lease.save(checkpoint=checkpoint.to_json(), **_mode_evidence(page, now))
            difference = store(self.resource.model, page.records, mode=self.mode, now=now)
            if checkpoint.full and (keys := keys_of(page)):
                seen = [{"state_id": self.lease.state.pk, "key": key} for key in keys]
                insert(SyncSeen, seen, using=self.using)
        return difference

    def _without_refused(self, page: Page) -> Page:
        """The page with the records that the database refuses, found one by one, moved to ``unusable``."""
        accepted, refused = [], []
        for record in page.records:
            try:
                with transaction.atomic(self.using):
                    store(self.resource.model, [record], mode=self.mode, now=self.lease.now())
                    transaction.set_rollback(True, self.using)
                accepted.append(record)
            except (DataError, IntegrityError) as error:
                message = f"{record.key}: the database refuses it: {error}"
                refused.append(RecordError(message, raw=record.raw))
        return replace(page, records=tuple(accepted), unusable=(*page.unusable, *refused))

    def end(self, checkpoint: Checkpoint) -> int:
        """Clear the checkpoint and mark what a full sync has not seen. Returns how many rows are missing."""
        state, now, missing = self.lease.state, self.lease.now(), 0
        finished: dict[str, Any] = {
            "watermark": checkpoint.watermark_after(state.watermark),
            "completed_at": now,
            "error": "",
        }
        if checkpoint.full:
            finished["full_completed_at"] = now
        with transaction.atomic(self.using, durable=True):
            self.lease.save(checkpoint=None, **finished)
            if checkpoint.full:
                seen = SyncSeen.objects.filter(state=state)
                unseen = expected(self.resource, checkpoint, self.mode).filter(
                    ~Exists(seen.filter(key=OuterRef("key")))
                )
                missing = unseen.update(missing_since=now)
                seen.delete()
        return missing


class DryRun:
    """Compares each page with the mirror. Writes nothing and needs no lease."""

    def __init__(self, resource: Resource, mode: str) -> None:
        self.resource = resource
        self.mode = mode
        self.seen: set[str] = set()

    def write(self, page: Page, checkpoint: Checkpoint) -> tuple[Page, Difference]:
        self.seen.update(keys_of(page))
        model = self.resource.model
        records = without_forgotten(model, page.records, mode=self.mode, using=router.db_for_write(model))
        return page, compare(model, records, mode=self.mode)

    def end(self, checkpoint: Checkpoint) -> int:
        if not checkpoint.full:
            return 0
        keys = expected(self.resource, checkpoint, self.mode).values_list("key", flat=True)
        return sum(key not in self.seen for key in keys.iterator())


def expected(resource: Resource, checkpoint: Checkpoint, mode: str) -> QuerySet[Any]:
    """The rows that a full sync must see: PartnerStack had them before it started."""
    rows = resource.model._base_manager.using(router.db_for_write(resource.model))
    started_at = checkpoint.started_at
    return rows.filter(mode=mode, missing_since=None, synced_at__lt=started_at)


def keys_of(page: Page) -> list[str]:
    """The keys of all objects on a page. Unusable objects are included, because they are not missing."""
    raws = (error.raw for error in page.unusable if isinstance(error.raw, dict))
    unusable = (str(raw["key"]) for raw in raws if isinstance(raw.get("key"), (str, int)))
    return [*(record.key for record in page.records), *(key for key in unusable if len(key) <= LONGEST_KEY)]


def _mode_evidence(page: Page, now: datetime) -> dict[str, datetime]:
    """The columns of SyncState to update, by the ``test`` flags of the records."""
    flags = {getattr(record, "test", None) for record in page.records}
    return {column: now for flag, column in SyncState.SEEN_AT.items() if flag in flags}
