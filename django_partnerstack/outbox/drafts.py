"""Messages made from what a site's sources say."""

from __future__ import annotations

import hashlib
from copy import copy
from typing import Any

from django.apps import apps
from django.db import models, router

from .. import sources
from ..client.validation import transaction_amount as _amount
from ..conf import conf
from ..exceptions import InvalidArgument
from ..mapping import minor_units
from .enqueue import Draft, customer_lane
from .operations import SAVE_CUSTOMER

#: PartnerStack takes 255; the rest is for what is left after refunds.
LONGEST_KEY = 240


def customer_draft(customer: models.Model, data: sources.CustomerData) -> Draft:
    """What to tell of a customer, all of it; it is compared with what was told before when it is queued."""
    key = sources.customer_key(customer)
    payload: dict[str, Any] = {"customer_key": key, **contact(key, data), "partner_key": data.partner_key}
    if data.provider_key:
        payload["provider_key"] = data.provider_key
    if data.meta:
        payload["meta"] = dict(data.meta)
    return Draft(
        operation=SAVE_CUSTOMER,
        lane=customer_lane(key),
        subject=key,
        payload=payload,
        source=reference(customer),
        customer_source=reference(customer),
    )


def contact(customer_key: str, data: sources.CustomerData) -> dict[str, str]:
    """
    E-mail and name as far as PARTNERSTACK_PRIVACY lets them leave the site.

    PartnerStack wants an e-mail address of every customer; one that names nobody stands in for it. Its pages
    allow anonymous values in conversions.
    """
    if conf.privacy in ("full", "contact"):
        return {"email": data.email, **({"name": data.name} if data.name else {})}
    known = data.email.strip().lower() if conf.privacy == "hashed" else customer_key
    return {"email": f"{hashlib.sha256(known.encode()).hexdigest()}@{conf.privacy}.invalid"}


def transaction_draft(data: sources.TransactionData, source: models.Model | None = None) -> Draft:
    """
    A payment, to be told once, ever.

    Raises InvalidArgument for a key, an amount or a currency that cannot be used.
    """
    if not isinstance(data.key, str) or not 4 <= len(data.key) <= LONGEST_KEY:
        raise InvalidArgument(f"A transaction's key has 4 to {LONGEST_KEY} characters; not {data.key!r}.")
    customer_key = sources.customer_key(data.customer)
    payload: dict[str, Any] = {
        "key": data.key,
        "customer_external_key": customer_key,
        "amount": _amount("amount", minor_units(data.amount, data.currency)),
        "currency": data.currency.upper(),
    }
    if data.product_key:
        payload["product_key"] = data.product_key
    if data.category_key:
        payload["category_key"] = data.category_key
    if data.metadata:
        payload["metadata"] = dict(data.metadata)
    if data.created_at:
        payload["created_at"] = data.created_at.isoformat()
    return Draft(
        operation="transactions.create",
        lane=customer_lane(customer_key),
        subject=data.key,
        payload=payload,
        once=f"transactions.create:{data.key}",
        source=reference(source),
        customer_source=reference(data.customer),
    )


def event_draft(customer: models.Model, name: str, value: int, key: str) -> Draft:
    """Something that a customer did; told once if it has a key."""
    customer_key = sources.customer_key(customer)
    payload: dict[str, Any] = {
        "type": name,
        "value": value,
        "target_type": "customer",
        "target_key": customer_key,
    }
    if key:
        payload["external_key"] = key
    return Draft(
        operation="actions.create",
        lane=customer_lane(customer_key),
        subject=key,
        payload=payload,
        once=f"actions.create:{key}" if key else "",
        source=reference(customer),
        customer_source=reference(customer),
    )


def draft_of(instance: models.Model) -> Draft:
    """
    An object as its registered source describes it, or a note that it is not reported.

    Raises SourceError if there is no source.
    """
    if (describe := sources.find(sources.customers, type(instance))) is not None:
        data = describe(instance)
        if isinstance(data, sources.CustomerData):
            return customer_draft(instance, data)
        return skipped_draft(instance, SAVE_CUSTOMER, data)
    if (describe_payment := sources.find(sources.transactions, type(instance))) is not None:
        payment = describe_payment(_as_read(instance))
        if isinstance(payment, sources.TransactionData):
            return transaction_draft(payment, instance)
        return skipped_draft(instance, "transactions.create", payment)
    raise sources.SourceError(f"{instance._meta.label} has no source; register one in partnerstack.py.")


def _as_read(instance: models.Model) -> models.Model:
    """
    With decimals in its decimal fields, as it will be read from the database.

    ``Payment(total=49)`` has an int there until then, and an int is taken for cents.
    """
    fields = [field for field in instance._meta.concrete_fields if isinstance(field, models.DecimalField)]
    given = {field: instance.__dict__.get(field.attname) for field in fields}
    other = {field: value for field, value in given.items() if type(value) in (int, str)}
    if other:
        instance = copy(instance)
        for field, value in other.items():
            setattr(instance, field.attname, field.to_python(value))
    return instance


def skipped_draft(instance: models.Model, operation: str, result: sources.Skipped | None) -> Draft:
    """A note that an object is not reported, and why; once for each reason."""
    reason = result.reason if isinstance(result, sources.Skipped) else "The source returned None."
    label, pk = reference(instance)
    return Draft(
        operation=operation,
        lane="",
        subject="",
        payload={},
        once=f"skipped:{label}:{pk}:{reason}"[:300],
        source=(label, pk),
        skipped=reason,
    )


def reference(instance: models.Model | None) -> tuple[str, str]:
    """How a message names a host object: ("app.model", primary key)."""
    return (instance._meta.label_lower, str(instance.pk)) if instance is not None else ("", "")


def customer_of(message: Any) -> Draft | None:
    """
    The customer of a message as its source describes it now, for a customer that was never queued.

    None if the site has no source for it, or it is not to be reported, or the object is gone. Raises
    SourceError if its key is no longer the one that the message was queued under.
    """
    if not message.customer_source:
        return None
    model = apps.get_model(message.customer_source)
    describe = sources.find(sources.customers, model)
    # Where it was written: a copy to read from may not have it yet.
    rows = model._base_manager.using(router.db_for_write(model))
    customer = rows.filter(pk=message.customer_source_pk).first()
    data = describe(customer) if describe is not None and customer is not None else None
    if customer is None or not isinstance(data, sources.CustomerData):
        return None
    draft = customer_draft(customer, data)
    if draft.lane != message.lane:
        raise sources.SourceError(
            f"PARTNERSTACK_CUSTOMER_KEY gives {draft.subject!r} now, and this was queued under another key."
        )
    return draft
