"""Read single objects again, by key."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import router
from django.utils import timezone

from ..client import Client, Record
from ..client.validation import path_segment
from ..exceptions import NotFound, PartnerStackError
from ..mapping import announce, store
from ..models import Customer, Mirror
from ..resources import Resource, of_model


@dataclass
class Refreshed:
    """What a refresh did. Counts of rows."""

    updated: int = 0
    unchanged: int = 0
    missing: int = 0
    #: Not read, because the time was up.
    not_tried: int = 0
    #: The error of each row that could not be read, by ``str(row)``.
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
    Read the objects of these rows again and store them.

    ``rows`` must be of one mode. No request starts after ``deadline_seconds``. A row that PartnerStack does
    not have is marked as missing. Any other error is returned in ``failed`` and the remaining rows are read.
    Safe to repeat. Raises ``LookupError`` unless the model is that of a ``readable`` resource.
    """
    end = clock() + deadline_seconds
    resource = of_model(model)
    if not resource.readable:
        raise LookupError(f"PartnerStack returns no single object of {resource.name}.")
    refreshed = Refreshed()
    records, gone, mode = [], [], ""
    for row in rows:
        if clock() >= end:
            refreshed.not_tried += 1
            continue
        mode = row.mode
        try:
            records.append(_read(client, resource, row))
        except NotFound:
            gone.append(row.pk)
        except PartnerStackError as error:
            refreshed.failed[str(row)] = error
    difference = store(model, records, mode=mode, now=now())
    announce(model, difference, mode=mode)
    refreshed.updated = len(difference.created) + len(difference.updated)
    refreshed.unchanged = difference.unchanged
    refreshed.missing = len(gone)
    mark_missing(model, gone, now=now())
    return refreshed


def _read(client: Client, resource: Resource, row: Any) -> Record:
    return read_object(client, resource, keys_of(row))


def keys_of(row: Any) -> list[str]:
    """
    The keys that may identify the object of a row in a path, best first.

    Paths contain the site's own key of a customer (docs.partnerstack.com/reference/patch_customers).
    PartnerStack's key is tried if the customer has no such key, or is not found by it.
    """
    own = [row.customer_key] if isinstance(row, Customer) and row.customer_key else []
    return [*own, row.key]


def read_object(client: Client, resource: Resource, keys: Iterable[str]) -> Record:
    """
    The object that one of the keys identifies, tried in their order.

    By path, so that a resource needs no class of its own in the client. Raises ``NotFound`` if PartnerStack
    has no object with the last key, and the client's other errors.
    """
    *earlier, last = keys
    for key in earlier:
        try:
            return _get(client, resource, key)
        except NotFound:
            pass
    return _get(client, resource, last)


def _get(client: Client, resource: Resource, key: str) -> Record:
    item = client.request("GET", f"/{resource.name}/{path_segment('key', key)}")
    return resource.record.from_api(item)


def mark_missing(model: type[Mirror], pks: Iterable[int], *, now: datetime) -> None:
    """Mark rows whose objects PartnerStack does not have, unless they are marked already."""
    rows = model._base_manager.using(router.db_for_write(model))
    rows.filter(pk__in=pks, missing_since=None).update(missing_since=now)
