"""
The verbs with which a site tells PartnerStack what happens.

Each writes a message in the caller's transaction and sends nothing itself. Safe to repeat: what was queued is
not queued again. The messages that a site's ``partnerstack.py`` causes come through here too.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from decimal import Decimal
from typing import Any

from django.db import models, router, transaction
from django.http import HttpRequest

from . import attribution, outbox, sources
from .conf import conf
from .mapping import minor_units
from .models import Attribution, OutboxMessage
from .outbox import RefundError

logger = logging.getLogger(__name__)

__all__ = ["RefundError", "assign", "event", "purchase", "refund", "report", "signup"]


def signup(
    customer: models.Model,
    *,
    email: str | None = None,
    name: str | None = None,
    partner_key: str | None = None,
    request: HttpRequest | None = None,
    token: str = "",
) -> bool:
    """
    Report a customer, or what has changed of it. Returns whether there was anything new.

    What is not given comes from the source that the site registered for the model. ``request`` is the one
    that the customer signed up with, and ``token`` what ``attribution.token`` gave, which is enough where
    there is no request: the visitor's click is looked for in them, and the first that is found stays. Without
    a partner the customer is recorded as organic, and nothing is sent.

    Raises SourceError if there is neither a source nor an e-mail address.
    """
    told = {"email": email, "name": name, "partner_key": partner_key}
    given: dict[str, Any] = {field: value for field, value in told.items() if value is not None}
    describe = sources.find(sources.customers, type(customer))
    if describe is None and email is None:
        raise sources.SourceError(
            f"{customer._meta.label} has no source; register one with sources.customer, or give email=."
        )
    data = describe(customer) if describe is not None else sources.CustomerData(**given)
    # Also of a customer who is not to be reported yet: when it is, the click will be out of reach.
    bound = (request is not None or token != "") and _bind(customer, request, token)
    if not isinstance(data, sources.CustomerData):
        return _enqueue(outbox.skipped_draft(customer, outbox.SAVE_CUSTOMER, data), customer)
    draft = outbox.customer_draft(customer, replace(data, **given))
    return _enqueue(draft, customer) or (bound and _reconsider(draft, customer))


def purchase(
    customer: models.Model,
    *,
    amount: Decimal | int,
    currency: str,
    key: str,
    **details: Any,
) -> bool:
    """
    Report a payment of a customer, once, ever. Returns whether it was not yet queued.

    ``amount``: a Decimal in the currency, or an int in its minor unit. ``key``: the site's own, 4 to 240
    characters. ``details``: the other fields of ``sources.TransactionData``.

    Raises InvalidArgument for an amount, a currency or a key that cannot be used.
    """
    data = sources.TransactionData(key=key, customer=customer, amount=amount, currency=currency, **details)
    return _enqueue(outbox.transaction_draft(data), customer)


def refund(key: str, *, amount: Decimal | int | None = None) -> None:
    """
    Take a reported payment back, or a part of it: the payment is deleted, and the rest reported anew.

    PartnerStack has no other form of refund for payments that it is told of. The rest gets a key of its own,
    the payment's with ``-r1``, ``-r2``, … behind it. ``amount``: what is paid back; all that is left if None.

    Raises RefundError if the payment was never reported, is taken back already, or was for less: nothing is
    queued then.
    """
    using = router.db_for_write(OutboxMessage)
    with transaction.atomic(using):
        left = outbox.what_is_left(key, mode=conf.mode)
        back = left.amount if amount is None else minor_units(amount, left.currency)
        for draft in left.without(back):
            if not outbox.enqueue(draft, mode=conf.mode, using=using):
                raise RefundError(f"{key} is being paid back elsewhere at this very moment; try again.")


def event(customer: models.Model, name: str, *, value: int = 1, key: str = "") -> bool:
    """
    Report something that a customer did, such as ``"qualified_demo"``, ``value`` times.

    With a ``key`` of the site's it is queued once, ever. PartnerStack cannot be asked whether it has an
    event: one whose answer is lost is held for a person. Returns whether it was not yet queued.
    """
    return _enqueue(outbox.event_draft(customer, name, value, key), customer)


def report(instance: models.Model, *, new: bool = False) -> bool:
    """
    Report an object as its registered source describes it. Returns whether there was anything new.

    ``new``: it has just been made. If it is a customer, the request that is being answered says who sent it.
    """
    if sources.find(sources.customers, type(instance)) is not None:
        return signup(instance, request=attribution.current.get() if new else None)
    return _enqueue(outbox.draft_of(instance), instance)


def assign(customer_key: str, partner_key: str, *, by: str) -> None:
    """
    Credit a customer to a partner by hand; ``by`` is who decided, for the record.

    Raises AlreadyReported if PartnerStack has the customer: it moves none from one partner to another. Raises
    NotPossible if it perhaps has, until a look-up tells. Nothing is changed then.
    """
    with transaction.atomic(router.db_for_write(Attribution)):
        attribution.assign(customer_key, partner_key, mode=conf.mode, by=by)
        outbox.credit_anew(customer_key, mode=conf.mode)


def _bind(customer: models.Model, request: HttpRequest | None, token: str) -> bool:
    """An error is logged: the sign-up matters more than who sent it. PARTNERSTACK_STRICT raises it."""
    try:
        return attribution.bind(
            sources.customer_key(customer),
            request,
            mode=conf.mode,
            token=token,
            source=outbox.reference(customer),
            using=customer._state.db,
        )
    except Exception:
        if conf.strict:
            raise
        logger.exception("Who sent %s could not be written down.", sources.label(customer))
        return False


def _reconsider(draft: outbox.Draft, customer: models.Model) -> bool:
    """The click came to light after the customer was queued."""
    return outbox.reconsider(draft.subject, mode=conf.mode, using=customer._state.db)


def _enqueue(draft: outbox.Draft, instance: models.Model) -> bool:
    """In the database of the object, so that both are one transaction. A note is nothing new."""
    return outbox.enqueue(draft, mode=conf.mode, using=instance._state.db) and not draft.skipped
