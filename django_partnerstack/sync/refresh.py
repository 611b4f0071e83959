"""Reading a few objects again, one by one."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import router
from django.utils import timezone

from ..client import Client
from ..exceptions import NotFound, PartnerStackError
from ..mapping import announce, store
from ..models import Customer, Mirror
from .resources import RESOURCES

#: The resources that PartnerStack lets one read one by one.
REFRESHABLE = frozenset({"partnerships", "customers", "deals", "leads"})


@dataclass
class Refreshed:
    """What became of the rows that were to be refreshed. Counts of rows."""

    updated: int = 0
    unchanged: int = 0
    missing: int = 0
    #: Not tried, because the time was up.
    left: int = 0
    failed: dict[str, PartnerStackError] = field(default_factory=dict)


def refresh(
    model: type[Mirror],
    rows: Iterable[Any],
    *,
    client: Client,
    deadline_seconds: float,
    clock: Callable[[], float] = time.monotonic,
    now: Callable[[], datetime] = timezone.now,
) -> Refreshed:
    """
    Read the objects of these rows again and store what came back.

    ``rows`` are of one mode. No request is begun after ``deadline_seconds``. A row that PartnerStack does not
    know is marked as missing; any other error is kept by row, and the rest goes on. Safe to repeat.
    """
    end = clock() + deadline_seconds
    get = getattr(client, _resource_name(model)).get
    refreshed = Refreshed()
    records, gone, mode = [], [], ""
    for row in rows:
        if clock() >= end:
            refreshed.left += 1
            continue
        mode = row.mode
        try:
            records.append(_read(get, row))
        except NotFound:
            gone.append(row.pk)
        except PartnerStackError as error:
            refreshed.failed[str(row)] = error
    difference = store(model, records, mode=mode, now=now())
    announce(model, difference, mode=mode)
    refreshed.updated = len(difference.created) + len(difference.updated)
    refreshed.unchanged = difference.unchanged
    refreshed.missing = len(gone)
    missing = model._base_manager.using(router.db_for_write(model)).filter(pk__in=gone, missing_since=None)
    missing.filter(key__isnull=False).update(missing_since=now())
    return refreshed


def _resource_name(model: type[Mirror]) -> str:
    return next(name for name in REFRESHABLE if RESOURCES[name].model is model)


def _read(get: Callable[[str], Any], row: Any) -> Any:
    """
    Customers go by the site's own key in paths, by the page on updating them; where PartnerStack knows
    none, or does not find it, its own key is tried too.
    """
    if isinstance(row, Customer) and row.customer_key:
        try:
            return get(row.customer_key)
        except NotFound:
            if not row.key:
                raise
    return get(row.key)
