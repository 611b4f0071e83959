"""One reconciliation: read both books, compare the customers, then the payments."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import router
from django.utils import timezone

from ...exceptions import PartnerStackError
from ...models import Customer, CustomerIdentity, OutboxMessage, ReportedKey, SyncState, Transaction
from ...outbox.site_objects import reported_models
from ...sync.checkpoint import OVERLAP
from . import reading
from .comparison import Comparison, seconds
from .customers import RESOURCE as CUSTOMERS
from .customers import compare_customers
from .foreign import compare_unknown
from .kinds import SOURCE_FAILED
from .ledger import Fact, Ledger
from .payments import RESOURCE as TRANSACTIONS
from .payments import compare_payments
from .tally import Tally

#: Called with what is being read, how many rows of it were read since the last call, and how many there are.
Progress = Callable[[str, int, int], object]

#: Progress is told after so many rows.
BATCH = 1000


class NeverSynced(PartnerStackError):
    """The mirror was never filled, so there is nothing to compare with."""


@dataclass(frozen=True)
class Reconciled:
    """
    The result. ``synced_at``: the time up to which the mirror can prove that something is not there.

    ``since``: what is older was left out.
    """

    mode: str
    started_at: datetime
    finished_at: datetime
    since: datetime | None
    synced_at: datetime
    tally: Tally

    @property
    def differences(self) -> int:
        return self.tally.differences

    def as_json(self, *, with_errors: bool = True) -> dict[str, Any]:
        """``with_errors``: False for what is kept: the error of a source may contain personal data."""
        found = self.tally.as_json()
        if not with_errors and SOURCE_FAILED.code in found["differences"]:
            failed = found["differences"][SOURCE_FAILED.code]
            failed["examples"] = [
                {**example, "detail": example["detail"].partition(":")[0]} for example in failed["examples"]
            ]
        return {
            "mode": self.mode,
            "started_at": self.started_at.isoformat(),
            "finished_at": self.finished_at.isoformat(),
            "since": self.since.isoformat() if self.since else None,
            "synced_at": self.synced_at.isoformat(),
            "agree": not self.differences,
            **found,
        }


def reconcile(
    *,
    mode: str,
    since: datetime | None = None,
    progress: Progress = lambda what, done, total: None,
    now: Callable[[], datetime] = timezone.now,
) -> Reconciled:
    """
    Compare this site's payments and customers with the mirror.

    ``since``: leave out what is known to be older: payments by the time of their source, else by the time at
    which they were reported, else by PartnerStack's. Raises ``NeverSynced``. Writes nothing to the database.
    """
    started_at, tally = now(), Tally()
    using = router.db_for_write(OutboxMessage)
    synced, full_sync = _synced(mode, using)
    with Ledger(lambda done, total: progress("comparison", done, total)) as ledger:
        for facts in _books(mode, tally, progress):
            ledger.write(facts)
        comparison = Comparison(
            mode=mode,
            using=using,
            ledger=ledger,
            tally=tally,
            since=seconds(since),
            judged_until={name: (when - OVERLAP).timestamp() for name, when in synced.items()},
            full_sync=seconds(full_sync),
        )
        compare_customers(comparison)
        compare_payments(comparison)
        compare_unknown(comparison)
    return Reconciled(mode, started_at, now(), since, min(synced.values()), tally)


def _synced(mode: str, using: str) -> tuple[dict[str, datetime], datetime | None]:
    """When customers and transactions were synced last, and the transactions fully."""
    states = {
        state.resource: state
        for state in SyncState.objects.using(using).filter(mode=mode, resource__in=(CUSTOMERS, TRANSACTIONS))
    }
    synced = {name: state.completed_at for name, state in states.items() if state.completed_at}
    if missing := [name for name in (CUSTOMERS, TRANSACTIONS) if name not in synced]:
        names = " ".join(missing)
        raise NeverSynced(
            f"There is nothing to compare with yet, because the mirror was never filled in {mode} mode. "
            f"Run: manage.py partnerstack_sync {names}"
        )
    return synced, states[TRANSACTIONS].full_completed_at


def _books(mode: str, tally: Tally, progress: Progress) -> Iterator[Iterator[tuple[str, Fact]]]:
    """The site's objects first, so that what is reported meanwhile is found on the other side."""
    for model in reported_models():
        label, total = model._meta.label, model._base_manager.using(router.db_for_write(model)).count()

        def on_page(done: int, label: str = label, total: int = total) -> None:
            progress(label, done, total)

        yield reading.site_objects(model, tally, mode=mode, on_page=on_page)
    yield reading.organic_lanes(mode)
    for rows, model in (
        (reading.used_customer_keys, CustomerIdentity),
        (reading.reported_keys, ReportedKey),
        (reading.mirrored_customers, Customer),
        (reading.mirrored_payments, Transaction),
    ):
        total = model._base_manager.filter(mode=mode).count()
        yield _counted(rows(mode), str(model._meta.verbose_name_plural), total, progress)


def _counted(
    facts: Iterator[tuple[str, Fact]], what: str, total: int, progress: Progress
) -> Iterator[tuple[str, Fact]]:
    for number, fact in enumerate(facts, 1):
        if number % BATCH == 0:
            progress(what, BATCH, total)
        yield fact
