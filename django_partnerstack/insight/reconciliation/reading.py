"""Reading the books of both sides into the ledger: the site's objects, what was reported, and the mirror."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

from django.db import models, router

from ... import sources
from ...identity.references import reference
from ...models import (
    Customer,
    CustomerIdentity,
    LaneStatus,
    OutboxLane,
    OutboxMessage,
    ReportedKey,
    Transaction,
)
from ...outbox.keys import payment_key
from ...outbox.operations import CREATE_TRANSACTION, DELETE_TRANSACTION, OPERATIONS, SAVE_CUSTOMER
from ...outbox.queue.messages import check
from ...outbox.queue.new_message import CUSTOMER as CUSTOMER_LANE
from ...outbox.queue.source_failures import text_of
from ...outbox.site_objects import Described, describe, pages_of
from .kinds import SKIPPED, SOURCE_FAILED
from .ledger import (
    CUSTOMER,
    PAYMENT,
    Fact,
    Identified,
    MirroredCustomer,
    MirroredPayment,
    OrganicLane,
    Reported,
    SiteCustomer,
    SitePayment,
)
from .tally import LONGEST_DETAIL, Difference, Tally

#: Rows of this app that are read at a time.
CHUNK = 2000

Facts = Iterator[tuple[str, Fact]]


def site_objects(
    model: type[models.Model], tally: Tally, *, mode: str, on_page: Callable[[int], object]
) -> Facts:
    """The objects of a model, as their source describes them. Counts those that it does not report."""
    using = router.db_for_write(model)
    is_payment = sources.find(sources.customers, model) is None

    def failed(instance: models.Model, error: Exception) -> None:
        source, pk, _ = reference(instance)
        tally.add(
            Difference(
                kind=SOURCE_FAILED,
                key=sources.label(instance),
                is_payment=is_payment,
                detail=text_of(error)[:LONGEST_DETAIL],
                source=source,
                source_pk=pk,
            )
        )

    for page in pages_of(model):
        for each in describe(page, mode=mode, using=using, on_error=failed):
            if each.message.skipped or (each.identity and each.identity.forgotten):
                tally.agree(SKIPPED, is_payment=is_payment)
                continue
            try:
                check(each.message)
            except Exception as error:
                failed(each.instance, error)
            else:
                yield _described(each)
        on_page(len(page))


def _described(each: Described) -> tuple[str, Fact]:
    message = each.message
    payload, source = message.payload, message.source[:2]
    if message.operation == SAVE_CUSTOMER:
        return f"{CUSTOMER}{message.subject}", SiteCustomer(*source, payload.get("partner_key", ""))
    when = payload.get("created_at")
    at = datetime.fromisoformat(when).timestamp() if when else None
    payment = SitePayment(
        *source, payload["customer_external_key"], payload["amount"], payload["currency"], at
    )
    return f"{PAYMENT}{message.subject}", payment


def reported_keys(mode: str) -> Facts:
    """What this site has reported about payments, and their deletions."""
    for operation, is_deletion in ((CREATE_TRANSACTION, False), (DELETE_TRANSACTION, True)):
        prefix = OPERATIONS[operation].dedupe_key({OPERATIONS[operation].key_field: "*"}).removesuffix("*")
        rows = _rows(ReportedKey, mode).filter(dedupe_key__startswith=prefix)
        columns = ("dedupe_key", "customer_key", "amount", "currency", "reported_at")
        for _, dedupe_key, customer_key, amount, currency, at in _in_chunks(rows, columns):
            key = dedupe_key.removeprefix(prefix)
            fact = Reported(key, is_deletion, customer_key, amount, currency, _seconds(at))
            yield f"{PAYMENT}{payment_key(key)}", fact


def used_customer_keys(mode: str) -> Facts:
    for _, key in _in_chunks(_rows(CustomerIdentity, mode), ("key",)):
        yield f"{CUSTOMER}{key}", Identified()


def organic_lanes(mode: str) -> Facts:
    rows = _rows(OutboxLane, mode).filter(status=LaneStatus.ORGANIC, key__startswith=CUSTOMER_LANE)
    for _, key in _in_chunks(rows, ("key",)):
        yield f"{CUSTOMER}{key.removeprefix(CUSTOMER_LANE)}", OrganicLane()


def mirrored_customers(mode: str) -> Facts:
    columns = (
        "customer_key",
        "partner_key",
        "partnership_key",
        "archived",
        "missing_since",
        "remote_created_at",
    )
    rows = _rows(Customer, mode).exclude(customer_key="")
    for pk, key, partner, partnership, archived, missing, at in _in_chunks(rows, columns):
        present = not archived and missing is None
        yield f"{CUSTOMER}{key}", MirroredCustomer(pk, partner, partnership, present, _seconds(at))


def mirrored_payments(mode: str) -> Facts:
    columns = (
        "key",
        "customer_key",
        "customer_external_key",
        "amount",
        "currency",
        "archived",
        "missing_since",
        "remote_created_at",
    )
    for pk, key, customer, customer_key, amount, currency, archived, missing, at in _in_chunks(
        _rows(Transaction, mode), columns
    ):
        listed = missing is None
        fact = MirroredPayment(
            pk, key, customer, customer_key, amount, currency, listed and not archived, listed, _seconds(at)
        )
        yield f"{PAYMENT}{payment_key(key)}", fact


def _rows(model: type[models.Model], mode: str) -> models.QuerySet[Any]:
    return model._base_manager.using(router.db_for_write(OutboxMessage)).filter(mode=mode)


def _in_chunks(rows: models.QuerySet[Any], columns: tuple[str, ...]) -> Iterator[tuple[Any, ...]]:
    """The primary key and these columns. A query a chunk: some drivers read a whole result at once."""
    ordered, last = rows.order_by("pk").values_list("pk", *columns), 0
    while chunk := list(ordered.filter(pk__gt=last)[:CHUNK]):
        yield from chunk
        last = chunk[-1][0]
        if len(chunk) < CHUNK:
            return


def _seconds(when: datetime | None) -> float | None:
    return when.timestamp() if when else None
