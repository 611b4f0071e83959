"""Builders: turn objects of the site, as its sources describe them, into messages."""

from __future__ import annotations

from collections.abc import Callable
from copy import copy
from datetime import datetime
from decimal import Decimal
from typing import Any, TypeVar

from django.apps import apps
from django.core.exceptions import ValidationError
from django.db import models, router
from django.db.backends.utils import format_number
from django.utils.functional import Promise
from django.utils.timezone import make_aware

from ... import sources
from ...client.money import minor_units
from ...client.resources.customers import LONGEST_NAME
from ...client.validation import milliseconds
from ...conf import conf
from ...exceptions import InvalidArgument, SourceError
from ...models import OutboxMessage
from ..operations import CREATE_ACTION, CREATE_TRANSACTION, SAVE_CUSTOMER
from ..permitted import permitted
from .messages import NewMessage, customer_lane

T = TypeVar("T")

#: PartnerStack allows 255 characters; the rest is for the suffix of the balance after a refund.
LONGEST_KEY = 240


def message_of(instance: models.Model) -> NewMessage:
    """
    The message that reports an object as its source describes it, or a note that it is not reported.

    Raises SourceError if its model has no source, and whatever the source raises.
    """
    if (describe := sources.find(sources.customers, type(instance))) is not None:
        data = ask(describe, instance)
        if isinstance(data, sources.CustomerData):
            return customer_message(instance, data)
        return skipped_message(instance, SAVE_CUSTOMER, data)
    if (describe_payment := sources.find(sources.transactions, type(instance))) is not None:
        payment = ask(describe_payment, instance)
        if isinstance(payment, sources.TransactionData):
            return transaction_message(payment, instance)
        return skipped_message(instance, CREATE_TRANSACTION, payment)
    raise SourceError(f"{instance._meta.label} has no source; register one in partnerstack.py.")


def customer_message(customer: models.Model, data: sources.CustomerData) -> NewMessage:
    """The message with all data of a customer. It is queued only if they differ from the last message."""
    key = sources.customer_key(customer)
    payload, note = contact(key, data)
    if data.partner_key:
        payload["partner_key"] = data.partner_key
    if data.provider_key:
        payload["provider_key"] = data.provider_key
    if data.meta:
        payload["meta"] = dict(data.meta)
    return NewMessage(
        operation=SAVE_CUSTOMER,
        lane=customer_lane(key),
        subject=key,
        payload=payload,
        note=note,
        source=reference(customer),
        customer_source=reference(customer),
    )


def contact(customer_key: str, data: sources.CustomerData) -> tuple[dict[str, Any], str]:
    """
    Customer key, e-mail and name, as far as PARTNERSTACK_PRIVACY permits sending them, and a note.

    A name is only shown, so it is shortened to what PartnerStack takes. Raises SourceError for another type.
    """
    for field, value in {"email": data.email, "name": data.name or ""}.items():
        if not isinstance(value, (str, Promise)):
            raise SourceError(f"{field} must be a text; not {value!r}.")
    email, name = str(data.email).strip(), str(data.name or "")
    found = {"customer_key": customer_key, "email": email, "name": name[:LONGEST_NAME]}
    payload = permitted({field: value for field, value in found.items() if value})
    shortened = "name" in payload and len(name) > LONGEST_NAME
    return payload, f"The name was shortened to {LONGEST_NAME} characters." if shortened else ""


def transaction_message(data: sources.TransactionData, source: models.Model | None = None) -> NewMessage:
    """
    The message that reports a payment. It is queued only once.

    Raises InvalidArgument for a key, an amount or a currency that cannot be used.
    """
    if not isinstance(data.key, str) or not 4 <= len(data.key) <= LONGEST_KEY:
        raise InvalidArgument(f"A transaction key has 4 to {LONGEST_KEY} characters; not {data.key!r}.")
    customer_key = sources.customer_key(data.customer)
    payload: dict[str, Any] = {
        "key": data.key,
        "customer_external_key": customer_key,
        "amount": minor_units(data.amount, data.currency),
        "currency": data.currency.upper(),
    }
    if data.product_key:
        payload["product_key"] = data.product_key
    if data.category_key:
        payload["category_key"] = data.category_key
    if data.metadata:
        payload["metadata"] = dict(data.metadata)
    if data.created_at:
        milliseconds("created_at", data.created_at)
        payload["created_at"] = data.created_at.isoformat()
    return NewMessage(
        operation=CREATE_TRANSACTION,
        lane=customer_lane(customer_key),
        subject=data.key,
        payload=payload,
        source=reference(source),
        customer_source=reference(data.customer),
    )


def event_message(customer: models.Model, name: str, value: int, key: str) -> NewMessage:
    """The message that reports an event (PartnerStack: action). With a key it is queued only once."""
    customer_key = sources.customer_key(customer)
    payload: dict[str, Any] = {
        "type": name,
        "value": value,
        "target_type": "customer",
        "target_key": customer_key,
    }
    if key:
        payload["external_key"] = key
    return NewMessage(
        operation=CREATE_ACTION,
        lane=customer_lane(customer_key),
        subject=key,
        payload=payload,
        source=reference(customer),
        customer_source=reference(customer),
    )


def skipped_message(instance: models.Model, operation: str, result: sources.Skipped | None) -> NewMessage:
    """A note why an object is not reported. It is queued once for each reason."""
    if result is not None and not isinstance(result, sources.Skipped):
        raise SourceError(
            f"The source of {instance._meta.label} returned {result!r:.100}. "
            "It must return data, Skipped or None."
        )
    reason = str(result.reason) if result is not None else "The source returned None."
    return NewMessage(
        operation=operation, lane="", subject="", payload={}, source=reference(instance), skipped=reason
    )


def customer_of(message: OutboxMessage) -> NewMessage | None:
    """
    A new message with the data of a message's customer, as its source describes it now.

    None if the model has no source, the source does not report the customer, or the object was deleted.
    Raises SourceError if the customer's key has changed since the message was queued.
    """
    if not message.customer_source:
        return None
    model = apps.get_model(message.customer_source)
    describe = sources.find(sources.customers, model)
    # Read from the primary database: a replica may not have it yet.
    rows = model._base_manager.using(router.db_for_write(model))
    customer = rows.filter(pk=message.customer_source_pk).first()
    data = ask(describe, customer) if describe is not None and customer is not None else None
    if customer is None or not isinstance(data, sources.CustomerData):
        return None
    new = customer_message(customer, data)
    if new.lane != message.lane:
        raise SourceError(
            f"PARTNERSTACK_CUSTOMER_KEY returns {new.subject!r} now; it was queued under another key."
        )
    return new


def reference(instance: models.Model | None) -> tuple[str, str]:
    """How a message refers to a host object: ("app.model", primary key)."""
    return (instance._meta.label_lower, str(instance.pk)) if instance is not None else ("", "")


def ask(source: Callable[[Any], T], instance: models.Model) -> T:
    """
    What a source returns for an object, with the values that the database stores.

    Raises what the source raises; see ``sources.call``.
    """
    return sources.call(source, _as_stored(instance))


#: Fields whose value in memory may differ from what the database stores and later returns.
CONVERTED = (
    models.BooleanField,
    models.CharField,
    models.DateField,
    models.DecimalField,
    models.IntegerField,
    models.TextField,
    models.UUIDField,
)


def _as_stored(instance: models.Model) -> models.Model:
    """
    The object with the values that the database stores.

    ``Payment(total=49)`` keeps an int until it is read again, and an int would count as minor units; a float
    has more decimals than the column. A value that the database computes is read back.
    """
    changed = {}
    for field in instance._meta.concrete_fields:
        given = instance.__dict__.get(field.attname)
        if hasattr(given, "resolve_expression"):
            using = router.db_for_write(type(instance), instance=instance)
            return type(instance)._base_manager.using(using).get(pk=instance.pk)
        if given is not None and isinstance(field, CONVERTED):
            stored = _stored(field, given)
            if type(stored) is not type(given) or stored != given:
                changed[field.attname] = stored
    if changed:
        instance = copy(instance)
        instance.__dict__.update(changed)
    return instance


def _stored(field: Any, given: Any) -> Any:
    """A value that the field cannot convert stays as it is: the source may not use it."""
    try:
        value = field.to_python(given)
        if isinstance(field, models.DecimalField):
            value = Decimal(format_number(value, field.max_digits, field.decimal_places) or "NaN")
        elif isinstance(value, datetime) and value.tzinfo is None and conf.django.USE_TZ:
            value = make_aware(value)
    except (ArithmeticError, TypeError, ValueError, ValidationError):
        return given
    return value
