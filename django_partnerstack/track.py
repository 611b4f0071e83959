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

from . import attribution, privacy, sources
from .conf import conf
from .exceptions import KeyCollision, PaymentConflict, RefundError, SourceError
from .identity.customers import Identity, customer_key, database_of, identity_of
from .identity.primary_keys import remember_loaded
from .identity.recorded import record
from .identity.references import check_object, reference
from .identity.stored_values import ask
from .models import Attribution, OutboxMessage
from .models.database_errors import ends_transaction
from .outbox.control.reattribution import apply_late_attribution, change_attribution
from .outbox.operations import SAVE_CUSTOMER
from .outbox.payments.refunds import refund_payment
from .outbox.queue.builders import (
    Builder,
    builder_of,
    customer_builder,
    event_builder,
    note_builder,
    transaction_builder,
)
from .outbox.queue.conflicts import show_conflicts
from .outbox.queue.enqueue_report import enqueue_report
from .outbox.queue.new_message import columns_of

logger = logging.getLogger(__name__)

__all__ = [
    "KeyCollision",
    "RefundError",
    "Report",
    "assign",
    "customer_key",
    "event",
    "forget",
    "purchase",
    "refund",
    "report",
    "signup",
]


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

    Raises SourceError if the model has no source and no ``email`` is given, InvalidArgument for data that no
    message can hold, and KeyCollision if PARTNERSTACK_CUSTOMER_KEY returns the key of another object.
    """
    return _signup(customer, email, name, partner_key, request, token)


def _signup(
    customer: models.Model,
    email: str | None = None,
    name: str | None = None,
    partner_key: str | None = None,
    request: HttpRequest | None = None,
    token: str = "",
    *,
    new: bool = False,
) -> Report:
    check_object(customer)
    given = {"email": email, "name": name, "partner_key": partner_key}
    fields: dict[str, Any] = {field: value for field, value in given.items() if value is not None}
    describe = sources.find(sources.customers, type(customer))
    if describe is None and email is None:
        raise SourceError(
            f"{customer._meta.label} has no source; register one with sources.customer, or give email=."
        )
    # First, whatever the source says or raises, because the click cannot be read later.
    identity, bound = None, False
    if request is not None or token != "":
        identity, bound = _bind(customer, request, token, new=new)
    data = ask(describe, customer) if describe is not None else sources.CustomerData(**fields)
    if not isinstance(data, sources.CustomerData):
        return _report(note_builder(customer, SAVE_CUSTOMER, data), customer)
    queued = _report(customer_builder(customer, replace(data, **fields)), customer, identity, new=new)
    if not queued and bound:
        # The customer was queued before its click was known.
        late = apply_late_attribution(queued.key, mode=conf.mode, using=database_of(customer))
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
    key is queued once, and the same call again queues nothing. A payment that PartnerStack refused, or that
    was cancelled before it was sent, is replaced by a later call with other content.

    Raises InvalidArgument for an amount, a currency, a key or metadata that cannot be used, SourceError for a
    customer that was not saved, and KeyCollision if another customer, amount or currency was reported under
    the key.
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
    return _report(transaction_builder(data), customer, first=True)


def refund(payment: str, /, *, amount: Decimal | int | None = None, key: str = "") -> Report:
    """
    Refund a reported payment, or a part of it.

    PartnerStack can only delete a transaction: the payment is deleted, and after a partial refund its balance
    is reported under the payment's key with ``~r1``, ``~r2``, … appended. ``payment``: the key that the
    payment was reported under. ``amount``: what to refund, in the units of ``purchase``; None for the whole
    balance. ``key``: the site's key of the refund, such as that of the billing service.

    Safe to repeat with a ``key``: a later call with the same key changes nothing. Without a key each call
    with an ``amount`` refunds it once more, and a second call without an amount raises RefundError.

    Raises RefundError if the payment was never reported, is refunded already, or its balance is smaller,
    KeyCollision if another payment or amount was refunded under the ``key``, and InvalidArgument for a key or
    an amount that cannot be used. Nothing is queued then.
    """
    queued = refund_payment(payment, amount, key, mode=conf.mode)
    return Report(conf.mode, payment, queued=queued)


def event(customer: models.Model, name: str, *, value: int = 1, key: str = "") -> Report:
    """
    Report an event of a customer, such as ``"qualified_demo"``. PartnerStack calls it an action
    (docs.partnerstack.com/reference/post_actions).

    ``value``: how often it happened. ``key``: the site's key of the event, at most 255 characters. Safe to
    repeat with a key: each key is queued once. Not safe to repeat without a key. An event cannot be looked up
    at PartnerStack, so if no answer arrives it is put on hold for an operator.

    Raises InvalidArgument for a key that cannot be used, and SourceError for a customer that was not saved.
    """
    return _report(event_builder(customer, name, value, key), customer, first=True)


def report(instance: models.Model, *, new: bool = False) -> Report:
    """
    Report an object as its registered source describes it. Safe to repeat.

    ``new``: it was just created. If it is a customer, its click is read from the current request.

    Raises SourceError if the model has no source, whatever the source raises, KeyCollision for a customer
    key of another object, and PaymentConflict for a payment that differs from what was reported under its
    key; a failed message then shows the reason.
    """
    check_object(instance)
    if new:
        remember_loaded([instance])
    if sources.find(sources.customers, type(instance)) is not None:
        return _signup(instance, request=attribution.current.get() if new else None, new=new)
    builder = builder_of(instance)
    try:
        return _report(builder, instance, first=new)
    except PaymentConflict as error:
        _show_conflict(builder, instance, str(error))
        raise


def assign(customer_key: str, partner_key: str, *, by: str) -> None:
    """
    Attribute a customer to a partner. Safe to repeat.

    ``by``: who decided; it is recorded with the attribution.

    Raises AlreadyReported if PartnerStack has the customer under another partner, because it does not move
    customers, and InvalidTransition as long as it may have the customer. Nothing is changed then.
    """
    with transaction.atomic(router.db_for_write(Attribution)):
        attribution.assign(customer_key, partner_key, mode=conf.mode, by=by)
        change_attribution(customer_key, mode=conf.mode)


def forget(
    customer: models.Model | str, *, keep_payments: bool = False, dry_run: bool = False
) -> privacy.Erasure:
    """
    Erase the personal data of a customer, and let PartnerStack anonymise and archive it.

    ``customer``: the site's object, also one that was never reported, or a customer key. ``keep_payments``:
    keep the texts of payments, such as their metadata. ``dry_run``: only count. Nothing is reported about the
    customer from now on; the site's own tables are not touched. Safe to repeat.

    In a transaction, all of it is part of that transaction.
    """
    if isinstance(customer, str):
        return privacy.forget(customer, keep_payments=keep_payments, dry_run=dry_run)
    return privacy.forget_object(customer, keep_payments=keep_payments, dry_run=dry_run)


def _bind(
    customer: models.Model, request: HttpRequest | None, token: str, *, new: bool
) -> tuple[Identity | None, bool]:
    """Save the attribution. An error is logged; PARTNERSTACK_STRICT raises it."""
    using = database_of(customer)
    try:
        with transaction.atomic(using):
            identity = identity_of(customer, mode=conf.mode, using=using, new=new)
            identity = identity if identity.recorded else record(identity)
            if identity.forgotten:
                return identity, False
            is_new = attribution.bind(
                identity.key,
                request,
                mode=conf.mode,
                token=token,
                source=reference(customer)[:2],
                using=using,
            )
            return identity, is_new
    except Exception as error:
        if conf.strict or ends_transaction(error):
            raise
        logger.exception("The attribution of %s could not be saved.", sources.label(customer))
        return None, False


def _report(
    builder: Builder,
    instance: models.Model,
    identity: Identity | None = None,
    *,
    new: bool = False,
    first: bool = False,
) -> Report:
    """Queue in the database of the object, so that both are in one transaction. A note does not count."""
    using = database_of(instance)
    message, queued = enqueue_report(
        builder, mode=conf.mode, using=using, identity=identity, new=new, first=first
    )
    return Report(conf.mode, message.subject, queued and not message.skipped, message.skipped)


def _show_conflict(builder: Builder, instance: models.Model, reason: str) -> None:
    using = database_of(instance)
    if builder.customer is not None:
        message = builder(identity_of(builder.customer, mode=conf.mode, using=using).key)
        show_conflicts([(columns_of(message, conf.mode), reason)], mode=conf.mode, using=using)
