"""
The verbs with which a site reports what happens.

Each queues a message in the caller's transaction and sends nothing itself. All are safe to repeat: what was
queued is not queued again. What a site's ``partnerstack.py`` reports goes through here as well.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
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
    customer_message,
    event_message,
    message_of,
    reference,
    skipped_message,
    transaction_message,
)
from .outbox.queue.messages import NewMessage, enqueue
from .outbox.refunds import refundable_balance

logger = logging.getLogger(__name__)

__all__ = ["RefundError", "Report", "assign", "event", "purchase", "refund", "report", "signup"]


@dataclass(frozen=True)
class Report:
    """
    What a verb did. True if it queued anything.

    ``key``: the customer key, transaction key or event key at PartnerStack; empty if the object is not
    reported. ``skipped``: why the source does not report it.
    """

    mode: str
    key: str
    queued: bool
    skipped: str = ""

    def __bool__(self) -> bool:
        return self.queued

    @property
    def messages(self) -> models.QuerySet[OutboxMessage]:
        """All messages about this key, the newest first, with their states. Evaluated when it is used."""
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
    Report a customer, or what has changed of it.

    What is not given comes from the source of the model. ``request`` is the one that the customer signed up
    with, and ``token`` what ``attribution.token`` returned, for where there is no request: the visitor's
    click is read from them, and the first decision stays. Without a partner the customer is recorded as
    organic, and nothing is sent. PartnerStack's page: docs.partnerstack.com/reference/post_v2-customers.

    Raises SourceError if there is neither a source nor an e-mail address.
    """
    given = {"email": email, "name": name, "partner_key": partner_key}
    fields: dict[str, Any] = {field: value for field, value in given.items() if value is not None}
    describe = sources.find(sources.customers, type(customer))
    if describe is None and email is None:
        raise SourceError(
            f"{customer._meta.label} has no source; register one with sources.customer, or give email=."
        )
    data = describe(customer) if describe is not None else sources.CustomerData(**fields)
    # Also for a customer that is not reported yet: when it is, the click can no longer be read.
    bound = (request is not None or token != "") and _bind(customer, request, token)
    if not isinstance(data, sources.CustomerData):
        return _enqueue(skipped_message(customer, SAVE_CUSTOMER, data), customer)
    message = customer_message(customer, replace(data, **fields))
    queued = _enqueue(message, customer)
    if not queued and bound:
        # The click was found after the customer was queued.
        late = apply_late_attribution(message.subject, mode=conf.mode, using=customer._state.db)
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
    Report a payment of a customer, once, ever.

    ``amount``: a ``Decimal`` in major units (``Decimal("49.00")``) or an ``int`` in minor units (``4900``).
    ``currency``: an ISO 4217 code. ``key``: the site's own, 4 to 240 characters. The rest as in
    ``sources.TransactionData``. PartnerStack's page: docs.partnerstack.com/reference/post_v2-transactions.

    Raises InvalidArgument for an amount, a currency or a key that cannot be used.
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


def refund(key: str, *, amount: Decimal | int | None = None) -> Report:
    """
    Refund a reported payment, or a part of it: the payment is deleted, and the rest reported again.

    PartnerStack has no other refund for reported payments. The rest gets the payment's key with ``-r1``,
    ``-r2``, … appended. ``key``: the payment's, as reported. ``amount``: what is refunded, as in
    ``purchase``; all that is left if None.

    Raises RefundError if the payment was never reported, is refunded already, or was for less; nothing is
    queued then. Not safe to repeat for a part of a payment.
    """
    using = router.db_for_write(OutboxMessage)
    with transaction.atomic(using):
        balance = refundable_balance(key, mode=conf.mode)
        refunded = balance.amount if amount is None else minor_units(amount, balance.currency)
        for message in balance.refund_messages(refunded):
            if not enqueue(message, mode=conf.mode, using=using):
                raise RefundError(f"Another process is refunding {key} at this moment; try again.")
    return Report(conf.mode, key, queued=True)


def event(customer: models.Model, name: str, *, value: int = 1, key: str = "") -> Report:
    """
    Report an event of a customer, such as ``"qualified_demo"``, ``value`` times. PartnerStack calls it an
    action.

    An event with a ``key`` of the site's is reported once, ever; without one it is not safe to repeat.
    PartnerStack cannot look events up, so an event without an answer is put on hold for an operator.
    """
    return _enqueue(event_message(customer, name, value, key), customer)


def report(instance: models.Model, *, new: bool = False) -> Report:
    """
    Report an object as its registered source describes it.

    ``new``: it was just created. If it is a customer, its click is read from the current request.

    Raises SourceError if the model has no source, and what the source raises.
    """
    if sources.find(sources.customers, type(instance)) is not None:
        return signup(instance, request=attribution.current.get() if new else None)
    return _enqueue(message_of(instance), instance)


def assign(customer_key: str, partner_key: str, *, by: str) -> None:
    """
    Attribute a customer to a partner; ``by`` is who decided, for the record. Safe to repeat.

    Raises AlreadyReported if PartnerStack has the customer, because it does not move customers to another
    partner, and InvalidTransition as long as it may have it. Nothing is changed then.
    """
    with transaction.atomic(router.db_for_write(Attribution)):
        attribution.assign(customer_key, partner_key, mode=conf.mode, by=by)
        change_attribution(customer_key, mode=conf.mode)


def _bind(customer: models.Model, request: HttpRequest | None, token: str) -> bool:
    """An error is logged, because the sign-up matters more. PARTNERSTACK_STRICT raises it."""
    try:
        return attribution.bind(
            sources.customer_key(customer),
            request,
            mode=conf.mode,
            token=token,
            source=reference(customer),
            using=customer._state.db,
        )
    except Exception:
        if conf.strict:
            raise
        logger.exception("The attribution of %s could not be saved.", sources.label(customer))
        return False


def _enqueue(message: NewMessage, instance: models.Model) -> Report:
    """In the database of the object, so that both are one transaction. A note is nothing new."""
    queued = enqueue(message, mode=conf.mode, using=instance._state.db) and not message.skipped
    return Report(conf.mode, message.subject, queued, message.skipped)
