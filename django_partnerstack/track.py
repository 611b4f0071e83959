"""
The verbs with which a site reports customers, payments, refunds and events to PartnerStack.

A verb queues a message in the caller's transaction; a worker sends it. Verbs return a ``Report``, and are
safe to repeat unless their docstring says otherwise. Objects with a registered source are reported in the
same way when they are saved.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import astuple, dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import models, router, transaction
from django.http import HttpRequest

from . import attribution, sources
from .client.money import minor_units
from .conf import conf
from .exceptions import RefundError, SourceError
from .models import Attribution, OutboxMessage
from .outbox.control.reattribution import apply_late_attribution, change_attribution
from .outbox.operations import SAVE_CUSTOMER
from .outbox.queue.builders import (
    ask,
    customer_message,
    event_message,
    message_of,
    reference,
    skipped_message,
    transaction_message,
)
from .outbox.queue.messages import NewMessage, enqueue
from .outbox.refunds import is_told, queue_replacement, refundable_balance

logger = logging.getLogger(__name__)

__all__ = ["RefundError", "Report", "assign", "event", "purchase", "refund", "report", "signup"]


@dataclass(frozen=True)
class Report:
    """
    The result of a verb. True in a condition if anything was queued.

    ``mode``: "test" or "production". ``key``: the customer key, transaction key or event key at PartnerStack;
    empty for an event without a key, and if the object is not reported. ``queued``: whether a message was
    queued; False if the same was queued before. ``skipped``: why the source does not report the object.
    """

    mode: str
    key: str
    queued: bool
    skipped: str = ""

    def __bool__(self) -> bool:
        return self.queued

    def __eq__(self, other: object) -> bool:
        """Equal to a report with the same values, and to True or False, whichever ``queued`` is."""
        if isinstance(other, bool):
            return self.queued is other
        return isinstance(other, Report) and astuple(self) == astuple(other)

    def __hash__(self) -> int:
        return hash(self.queued)

    @property
    def messages(self) -> models.QuerySet[OutboxMessage]:
        """All messages about this key, newest first. The queryset is evaluated when it is used."""
        using = router.db_for_write(OutboxMessage)
        return OutboxMessage.objects.using(using).filter(mode=self.mode, subject=self.key).exclude(subject="")


def signup(
    customer: models.Model,
    *,
    email: str | None = None,
    name: str | None = None,
    partner_key: str | None = None,
    request: HttpRequest | None = None,
    token: str = "",
) -> Report:
    """
    Report a customer, or changed data of a customer (docs.partnerstack.com/reference/post_customers).

    ``email``, ``name`` and ``partner_key`` default to the data of the model's source. ``request``: that of
    the sign-up; the visitor's click is read from it. ``token``: what ``attribution.token`` returned, if there
    is no request. The first attribution of a customer is kept. A customer without a partner is organic: it is
    recorded, and nothing is sent. Safe to repeat: unchanged data are not queued again.

    Raises SourceError if the model has no source and no ``email`` is given, and InvalidArgument for data that
    no message can hold.
    """
    given = {"email": email, "name": name, "partner_key": partner_key}
    fields: dict[str, Any] = {field: value for field, value in given.items() if value is not None}
    describe = sources.find(sources.customers, type(customer))
    if describe is None and email is None:
        raise SourceError(
            f"{customer._meta.label} has no source; register one with sources.customer, or give email=."
        )
    # First, whatever the source says or raises, because the click cannot be read later.
    bound = (request is not None or token != "") and _bind(customer, request, token)
    data = ask(describe, customer) if describe is not None else sources.CustomerData(**fields)
    if not isinstance(data, sources.CustomerData):
        return _enqueue(skipped_message(customer, SAVE_CUSTOMER, data), customer)
    message = customer_message(customer, replace(data, **fields))
    queued = _enqueue(message, customer)
    if not queued and bound:
        # The customer was queued before its click was known.
        late = apply_late_attribution(message.subject, mode=conf.mode, using=_database(customer))
        return replace(queued, queued=late)
    return queued


def purchase(
    customer: models.Model,
    *,
    amount: Decimal | int,
    currency: str,
    key: str,
    product_key: str = "",
    category_key: str = "",
    metadata: Mapping[str, str] | None = None,
    created_at: datetime | None = None,
) -> Report:
    """
    Report a payment of a customer (docs.partnerstack.com/reference/post_transactions).

    ``amount``: a ``Decimal`` in major units (``Decimal("49.00")``) or an ``int`` in minor units (``4900``).
    ``currency``: an ISO 4217 code. ``key``: the site's key of the payment, 4 to 240 characters, not ending in
    ``~r1`` or another number. For the other arguments see ``sources.TransactionData``. Safe to repeat: each
    key is queued once, and a later call with the same key changes nothing.

    Raises InvalidArgument for an amount, a currency, a key or metadata that cannot be used, and SourceError
    for a customer that was not saved.
    """
    data = sources.TransactionData(
        key=key,
        customer=customer,
        amount=amount,
        currency=currency,
        product_key=product_key,
        category_key=category_key,
        metadata=metadata or {},
        created_at=created_at,
    )
    return _enqueue(transaction_message(data), customer)


def refund(payment: str, /, *, amount: Decimal | int | None = None, key: str = "") -> Report:
    """
    Refund a reported payment, or a part of it.

    PartnerStack can only delete a transaction: the payment is deleted, and after a partial refund its balance
    is reported under the payment's key with ``~r1``, ``~r2``, … appended. ``payment``: the key that the
    payment was reported under. ``amount``: what to refund, in the units of ``purchase``; None for the whole
    balance. ``key``: the site's key of the refund, such as that of the billing service.

    Safe to repeat with a ``key``: a later call with the same key changes nothing. Without a key each call
    with an ``amount`` refunds it once more, and a second call without an amount raises RefundError.

    Raises RefundError if the payment was never reported, is refunded already, or its balance is smaller, and
    InvalidArgument for an amount that cannot be used. Nothing is queued then.
    """
    using = router.db_for_write(OutboxMessage)
    with transaction.atomic(using):
        if key and is_told(payment, key, mode=conf.mode):
            return Report(conf.mode, payment, queued=False)
        balance = refundable_balance(payment, mode=conf.mode)
        refunded = balance.amount if amount is None else minor_units(amount, balance.currency)
        queue_replacement(balance, balance.refund_messages(refunded, key), mode=conf.mode)
    return Report(conf.mode, payment, queued=True)


def event(customer: models.Model, name: str, *, value: int = 1, key: str = "") -> Report:
    """
    Report an event of a customer, such as ``"qualified_demo"``. PartnerStack calls it an action
    (docs.partnerstack.com/reference/post_actions).

    ``value``: how often it happened. ``key``: the site's key of the event, at most 255 characters. Safe to
    repeat with a key: each key is queued once. Not safe to repeat without a key. An event cannot be looked up
    at PartnerStack, so if no answer arrives it is put on hold for an operator.

    Raises InvalidArgument for a key that cannot be used, and SourceError for a customer that was not saved.
    """
    return _enqueue(event_message(customer, name, value, key), customer)


def report(instance: models.Model, *, new: bool = False) -> Report:
    """
    Report an object as its registered source describes it. Safe to repeat.

    ``new``: it was just created. If it is a customer, its click is read from the current request.

    Raises SourceError if the model has no source, and whatever the source raises.
    """
    if sources.find(sources.customers, type(instance)) is not None:
        return signup(instance, request=attribution.current.get() if new else None)
    return _enqueue(message_of(instance), instance)


def assign(customer_key: str, partner_key: str, *, by: str) -> None:
    """
    Attribute a customer to a partner. Safe to repeat.

    ``by``: who decided; it is recorded with the attribution.

    Raises AlreadyReported if PartnerStack has the customer, because PartnerStack does not move customers to
    another partner, and InvalidTransition as long as it may have the customer. Nothing is changed then.
    """
    with transaction.atomic(router.db_for_write(Attribution)):
        attribution.assign(customer_key, partner_key, mode=conf.mode, by=by)
        change_attribution(customer_key, mode=conf.mode)


def _bind(customer: models.Model, request: HttpRequest | None, token: str) -> bool:
    """Save the attribution. An error is logged; PARTNERSTACK_STRICT raises it."""
    try:
        return attribution.bind(
            sources.customer_key(customer),
            request,
            mode=conf.mode,
            token=token,
            source=reference(customer),
            using=_database(customer),
        )
    except Exception:
        if conf.strict:
            raise
        logger.exception("The attribution of %s could not be saved.", sources.label(customer))
        return False


def _enqueue(message: NewMessage, instance: models.Model) -> Report:
    """Queue in the database of the object, so that both are in one transaction. A note does not count."""
    queued = enqueue(message, mode=conf.mode, using=_database(instance)) and not message.skipped
    return Report(conf.mode, message.subject, queued, message.skipped)


def _database(instance: models.Model) -> str:
    """Where the router writes messages about an object: by default where the object is, never a replica."""
    return router.db_for_write(OutboxMessage, instance=instance)
