"""Builders: turn objects of the site, as its sources describe them, into messages."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from django.db import DEFAULT_DB_ALIAS, models
from django.utils.functional import Promise

from ... import sources
from ...client.money import minor_units
from ...client.resources.customers import LONGEST_NAME
from ...client.validation import milliseconds
from ...exceptions import InvalidArgument, SourceError
from ...identity.customers import identity_of_key
from ...identity.references import Reference, check_object, has_model, loaded, models_with_source, reference
from ...identity.stored_values import ask
from ...identity.tombstones import REASON
from ...mapping.text import storable
from ...models import OutboxMessage
from ..keys import check_key, check_text
from ..operations import CREATE_ACTION, CREATE_TRANSACTION, SAVE_CUSTOMER
from ..permitted import permitted
from .new_message import CUSTOMER, NewMessage, customer_lane


@dataclass(frozen=True)
class Builder:
    """
    What is reported about an object: call it with the customer key for the message.

    ``customer``: the site's object whose key it is; None for a note, which has no customer.
    """

    customer: models.Model | None
    build: Callable[[str], NewMessage]

    def __call__(self, customer_key: str) -> NewMessage:
        return self.build(customer_key)


def builder_of(instance: models.Model) -> Builder:
    """
    The builder of the message that reports an object as its source describes it, or of a note that it is not
    reported.

    Raises SourceError if its model has no source, and whatever the source raises.
    """
    check_object(instance)
    if (describe := sources.find(sources.customers, type(instance))) is not None:
        data = ask(describe, instance)
        if isinstance(data, sources.CustomerData):
            return customer_builder(instance, data)
        return note_builder(instance, SAVE_CUSTOMER, data)
    if (describe_payment := sources.find(sources.transactions, type(instance))) is not None:
        payment = ask(describe_payment, instance)
        if isinstance(payment, sources.TransactionData):
            return transaction_builder(payment, instance)
        return note_builder(instance, CREATE_TRANSACTION, payment)
    raise SourceError(f"{instance._meta.label} has no source; register one in partnerstack.py.")


def customer_builder(customer: models.Model, data: sources.CustomerData) -> Builder:
    """All data of a customer. They are queued only if they differ from the last."""
    return Builder(customer, partial(_customer_message, customer, data))


def transaction_builder(data: sources.TransactionData, source: models.Model | None = None) -> Builder:
    """
    A payment. It is queued only once.

    Raises SourceError without a customer, and InvalidArgument for a key that cannot be used.
    """
    if data.customer is None:
        # Only a note has no customer.
        raise SourceError(f"The payment {data.key!r:.100} has no customer; return None for it to skip it.")
    check_key(data.key)
    return Builder(data.customer, partial(_transaction_message, data, source))


def event_builder(customer: models.Model, name: str, value: int, key: str) -> Builder:
    """
    An event (PartnerStack: action). With a key it is queued only once.

    Raises InvalidArgument for a key that cannot be used.
    """
    check_text("The key of an event", key)
    return Builder(customer, partial(_event_message, customer, name, value, key))


def note_builder(instance: models.Model, operation: str, result: sources.Skipped | None) -> Builder:
    """A note why an object is not reported. It is queued once for each reason."""
    if result is not None and not isinstance(result, sources.Skipped):
        raise SourceError(
            f"The source of {instance._meta.label} returned {result!r:.100}. "
            "It must return data, Skipped or None."
        )
    reason = "The source returned None."
    if result is not None:
        # Never empty, because the reason is what makes it a note.
        reason = storable(str(result.reason or "")) or "The source gave no reason."
    note = NewMessage(
        operation=operation, lane="", subject="", payload={}, source=reference(instance), skipped=reason
    )
    return Builder(None, lambda customer_key: note)


def forgotten_note(message: NewMessage) -> NewMessage:
    """A note that an object is not reported, in place of the message about it."""
    return NewMessage(
        operation=message.operation, lane="", subject="", payload={}, source=message.source, skipped=REASON
    )


def _customer_message(customer: models.Model, data: sources.CustomerData, key: str) -> NewMessage:
    payload, note = contact(key, data)
    _check_texts(partner_key=data.partner_key or "", provider_key=data.provider_key or "")
    if data.partner_key:
        payload["partner_key"] = str(data.partner_key)
    if data.provider_key:
        payload["provider_key"] = str(data.provider_key)
    if meta := _mapping("meta", data.meta):
        payload["meta"] = meta
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
    _check_texts(email=data.email, name=data.name or "")
    email, name = str(data.email).strip(), str(data.name or "")
    found = {"customer_key": customer_key, "email": email, "name": name[:LONGEST_NAME]}
    payload = permitted({field: value for field, value in found.items() if value})
    shortened = "name" in payload and len(name) > LONGEST_NAME
    return payload, f"The name was shortened to {LONGEST_NAME} characters." if shortened else ""


def _check_texts(**fields: Any) -> None:
    for field, value in fields.items():
        if not isinstance(value, (str, Promise)):
            raise SourceError(f"{field} must be a text; not {value!r:.100}.")


def _transaction_message(
    data: sources.TransactionData, source: models.Model | None, customer_key: str
) -> NewMessage:
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
    if metadata := _mapping("metadata", data.metadata):
        payload["metadata"] = metadata
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


def _mapping(name: str, value: Any) -> dict[str, Any]:
    """None counts as empty, because an optional value may be NULL in the site's database."""
    if value is not None and not isinstance(value, Mapping):
        raise InvalidArgument(f"{name} must be a dict; not {value!r:.100} ({type(value).__name__}).")
    return dict(value or {})


def _event_message(customer: models.Model, name: str, value: int, key: str, customer_key: str) -> NewMessage:
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


def customer_reference(message: OutboxMessage) -> Reference:
    """
    The object whose source ``customer_of`` asks; an empty reference if none is known.

    Found by the key of the customer, because a refund names no object of the site.
    """
    key = message.lane.removeprefix(CUSTOMER)
    identity = identity_of_key(key, mode=message.mode, using=message._state.db or DEFAULT_DB_ALIAS)
    if identity is None or identity.host is None:
        return Reference(message.customer_source, message.customer_source_pk)
    model = next(models_with_source(identity.host), None)
    label = model._meta.label_lower if model else identity.host.label
    return Reference(label, identity.host.pk, identity.host.namespace)


def customer_of(message: OutboxMessage) -> NewMessage | None:
    """
    A new message with the data of a message's customer, as its source describes it now.

    None if no model of the customer's row has a source, the source does not report the customer, the object
    was deleted, or the customer was forgotten. Raises SourceError if the row's model was removed, and what
    the source raises.
    """
    key = message.lane.removeprefix(CUSTOMER)
    identity = identity_of_key(key, mode=message.mode, using=message._state.db or DEFAULT_DB_ALIAS)
    if identity is None or identity.host is None or identity.forgotten:
        return None
    if not has_model(identity.host):
        raise SourceError(
            f"No model has the table of {identity.host} any more. "
            f"If it was renamed, run: manage.py partnerstack_relabel {identity.host.label} NEW"
        )
    for model in models_with_source(identity.host):
        describe = sources.find(sources.customers, model)
        # Within the block, because the source may read more in the customer's schema.
        with loaded(identity.host, model) as customer:
            if customer is None or describe is None:
                continue
            data = ask(describe, customer)
            return _customer_message(customer, data, key) if isinstance(data, sources.CustomerData) else None
    return None
