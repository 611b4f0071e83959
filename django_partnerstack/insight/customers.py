"""Find a customer by whatever an operator knows about it."""

from __future__ import annotations

from collections.abc import Iterator

from django.core.exceptions import FieldDoesNotExist, ValidationError
from django.db import models

from .. import sources
from ..identity.customers import customer_key
from ..models import Attribution, Customer, OutboxMessage
from ..outbox.operations import customer_snapshots
from ..outbox.permitted import hashed
from ..outbox.queue.new_message import customer_lane

#: How many of the newest messages are searched for an address, because their content has no index.
RECENT = 100_000


def find(text: str, *, mode: str) -> list[str]:
    """
    The customer keys that match a text, which may be several; empty if there is no such customer.

    ``text``: a customer key, PartnerStack's own key, an e-mail address, or the primary key of one of the
    site's objects. A customer key is returned alone. ``mode``: "test" or "production".
    """
    if _is_known(text, mode):
        return [text]
    found = [*_synced(text, mode), *_registered(text), *_attributed(text, mode), *_queued(text, mode)]
    return list(dict.fromkeys(found))


def _is_known(customer_key: str, mode: str) -> bool:
    rows = (
        Attribution.objects.filter(mode=mode, customer_key=customer_key),
        Customer.objects.filter(mode=mode, customer_key=customer_key),
        OutboxMessage.objects.filter(mode=mode, lane=customer_lane(customer_key)),
    )
    return bool(customer_key) and any(found.exists() for found in rows)


def _synced(text: str, mode: str) -> Iterator[str]:
    rows = Customer.objects.filter(mode=mode).exclude(customer_key="").order_by("pk")
    named = rows.filter(models.Q(key=text) | models.Q(email__iexact=text))
    yield from named.values_list("customer_key", flat=True)


def _registered(text: str) -> Iterator[str]:
    """The site's own objects, also those that were never reported."""
    for model in sources.customers:
        for column in ("pk", "email"):
            try:
                yield from map(customer_key, _objects(model, column, text))
            except (FieldDoesNotExist, ValidationError, ValueError):
                continue  # The model has no such column, or the column cannot contain the text.


def _objects(model: type[models.Model], column: str, text: str) -> list[models.Model]:
    rows = model._base_manager.order_by("pk")
    if column == "pk":
        return list(rows.filter(pk=text))
    model._meta.get_field(column)
    return list(rows.filter(**{f"{column}__iexact": text}))


def _attributed(text: str, mode: str) -> Iterator[str]:
    """Objects of models without a source, which ``track.signup`` reported."""
    rows = Attribution.objects.filter(mode=mode, source_pk=text).order_by("pk")
    yield from rows.values_list("customer_key", flat=True)


def _queued(email: str, mode: str) -> Iterator[str]:
    """Customers that PartnerStack may not have, by the address in one of their newest messages."""
    if "@" in email:
        newest = OutboxMessage.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
        recent = OutboxMessage.objects.filter(mode=mode, pk__gt=newest - RECENT).order_by("pk")
        named = models.Q(payload__email__iexact=email) | models.Q(payload__email=hashed(email))
        snapshots = recent.filter(named, operation__in=customer_snapshots())
        yield from snapshots.values_list("subject", flat=True)
