"""What becomes of the pages of a walk: written down, or only compared."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

from django.db import DataError, IntegrityError, router, transaction
from django.db.models import Exists, OuterRef, QuerySet

from ..client import Page
from ..exceptions import RecordError
from ..mapping import Difference, announce, compare, store
from ..models import SyncSeen, SyncState
from ..models.bulk import insert
from .lease import ResourceLease
from .resources import Resource
from .walk import Walk

LONGEST_KEY: int = SyncSeen._meta.get_field("key").max_length  # type: ignore[assignment]


class PageWriter:
    """Stores each page together with the place to go on from, under a hold on the resource."""

    def __init__(self, resource: Resource, held: ResourceLease) -> None:
        self.resource = resource
        self.held = held
        self.mode = held.state.mode
        self.using = router.db_for_write(resource.model)

    def begin(self, walk: Walk) -> None:
        """Forget what an abandoned walk has seen; one that is taken up goes on with it."""
        if self.held.state.checkpoint is None:
            SyncSeen.objects.filter(state=self.held.state).delete()

    def page(self, page: Page, walk: Walk) -> tuple[Page, Difference]:
        try:
            difference = self._store(page, walk)
        except (DataError, IntegrityError):
            page = self._without_refused(page)
            difference = self._store(page, walk)
        announce(self.resource.model, difference, mode=self.mode)
        return page, difference

    def _store(self, page: Page, walk: Walk) -> Difference:
        now = self.held.now()
        with transaction.atomic(self.using, durable=True):
            # First, so that a run that has lost its hold does nothing, and others wait here.
            self.held.save(checkpoint=walk.to_json(), **_flags_of(page, now))
            difference = store(self.resource.model, page.records, mode=self.mode, now=now)
            if walk.full and (keys := keys_of(page)):
                seen = [{"state_id": self.held.state.pk, "key": key} for key in keys]
                insert(SyncSeen, seen, using=self.using)
        return difference

    def _without_refused(self, page: Page) -> Page:
        """The page as the database takes it: what it refuses by itself is unusable, and stops no other."""
        taken, refused = [], []
        for record in page.records:
            try:
                with transaction.atomic(self.using):
                    store(self.resource.model, [record], mode=self.mode, now=self.held.now())
                    transaction.set_rollback(True, self.using)
                taken.append(record)
            except (DataError, IntegrityError) as error:
                message = f"{record.key}: the database refuses it: {error}"
                refused.append(RecordError(message, raw=record.raw))
        return replace(page, records=tuple(taken), unusable=(*page.unusable, *refused))

    def end(self, walk: Walk) -> int:
        """Mark what a full walk never met, and remember how far the mirror reaches. Returns the marked."""
        state, now, missing = self.held.state, self.held.now(), 0
        with transaction.atomic(self.using, durable=True):
            self.held.save(checkpoint=None, watermark=walk.watermark_after(state.watermark), completed_at=now)
            if walk.full:
                seen = SyncSeen.objects.filter(state=state)
                unseen = expected(self.resource, walk, self.mode).filter(
                    ~Exists(seen.filter(key=OuterRef("key")))
                )
                missing = unseen.update(missing_since=now)
                seen.delete()
        return missing


class DryRun:
    """Compares each page with the mirror; writes nothing and holds nothing."""

    def __init__(self, resource: Resource, mode: str) -> None:
        self.resource = resource
        self.mode = mode
        self.seen: set[str] = set()

    def begin(self, walk: Walk) -> None:
        """Nothing to forget."""

    def page(self, page: Page, walk: Walk) -> tuple[Page, Difference]:
        self.seen.update(keys_of(page))
        return page, compare(self.resource.model, page.records, mode=self.mode)

    def end(self, walk: Walk) -> int:
        if not walk.full:
            return 0
        keys = expected(self.resource, walk, self.mode).values_list("key", flat=True)
        return sum(key not in self.seen for key in keys.iterator())


def expected(resource: Resource, walk: Walk, mode: str) -> QuerySet[Any]:
    """The rows that a full walk should meet: those that came from PartnerStack before it began."""
    rows = resource.model._base_manager.using(router.db_for_write(resource.model))
    return rows.filter(mode=mode, missing_since=None, key__isnull=False, synced_at__lt=walk.started_at)


def keys_of(page: Page) -> list[str]:
    """Keys of all objects on a page; also of those that cannot be used, for they are not missing."""
    raws = (error.raw for error in page.unusable if isinstance(error.raw, dict))
    unusable = (str(raw["key"]) for raw in raws if isinstance(raw.get("key"), (str, int)))
    return [*(record.key for record in page.records), *(key for key in unusable if len(key) <= LONGEST_KEY)]


def _flags_of(page: Page, now: datetime) -> dict[str, datetime]:
    """Which kinds of objects came, by the ``test`` flag of those that have one."""
    kinds = {getattr(record, "test", None) for record in page.records}
    return {column: now for kind, column in SyncState.SEEN_AT.items() if kind in kinds}
