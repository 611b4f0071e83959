"""
Records of forgotten customers, without personal data.

What is listed here by name is kept, and everything else that PartnerStack sends is dropped: a new field of
PartnerStack must not bring personal data back.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ..identity.addresses import addresses_in
from ..identity.tombstones import (
    CUSTOMER_KEY,
    EMAIL,
    REMOTE_KEY,
    Forgotten,
    Identifier,
    forgotten_among,
    is_personal,
)
from ..models import Action, Customer, Deal, Lead, Mirror, Reward, Transaction

#: Kept of every object.
ALWAYS = ("key", "created_at", "updated_at", "archived", "is_archived", "test")

#: Kept of each kind of object, in addition. None of it is a text about the customer.
KEPT: Mapping[type[Mirror], tuple[str, ...]] = {
    Customer: ("customer_key", "external_key", "partner_key", "partnership_key", "source_type"),
    Transaction: (
        *("amount", "amount_usd", "currency", "approved", "category_key", "product_key"),
        *("customer", "customer_key", "customer_external_key", "partnership_key", "company"),
    ),
    Reward: (
        *("amount", "currency", "reward_status", "status", "payment_status", "payment_date", "withdrawn"),
        *("action", "customer", "customer_key", "invoice", "offer", "partnership", "partnership_key"),
        *("source", "transaction", "transaction_key", "trigger"),
    ),
    Action: (
        *("type", "value", "external_key", "target_type", "target_key"),
        *("company", "customer", "customer_key", "partnership", "partnership_key"),
    ),
    Deal: (
        *("amount", "close_date", "customer", "customer_key", "external_key", "group_key"),
        *("mold_key", "partner_key", "source", "stage", "team"),
    ),
    Lead: ("amount", "approved", "external_key", "group_key", "mold_key", "partner_key", "status"),
}

#: The texts of payments, which stay if they are needed for the books.
TEXTS_OF_PAYMENTS: Mapping[type[Mirror], tuple[str, ...]] = {
    Transaction: ("metadata", "extension"),
    Reward: ("description",),
}

#: Kept of the customer inside another object.
NESTED = ("key", "external_key", "customer_key", "created_at", "updated_at")

#: The names of keys of the site, which contain an e-mail address if the site makes them so.
SITE_KEYS = ("customer_key", "external_key", "customer_external_key", "target_key")


def without_person(
    model: type[Mirror], raw: Mapping[str, Any], customer_key: str, *, keep_payments: bool = False
) -> dict[str, Any]:
    """
    An object as PartnerStack sent it, without the personal data of its customer. Safe to repeat.

    ``customer_key`` replaces a key of the site that contains an e-mail address. ``keep_payments``: keep the
    texts of payments, such as their metadata.
    """
    names = {*ALWAYS, *KEPT[model], *(TEXTS_OF_PAYMENTS.get(model, ()) if keep_payments else ())}
    found = {name: value for name, value in raw.items() if name in names}
    if isinstance(nested := found.get("customer"), Mapping):
        found["customer"] = _with_key({name: nested[name] for name in NESTED if name in nested}, customer_key)
    return _with_key(found, customer_key)


def _with_key(found: dict[str, Any], customer_key: str) -> dict[str, Any]:
    for name in SITE_KEYS:
        if isinstance(value := found.get(name), str) and is_personal(value):
            found[name] = customer_key
    return found


def record_without_person(
    model: type[Mirror], record: Any, customer_key: str, *, keep_payments: bool = False
) -> Any:
    """The same record as if PartnerStack had sent no personal data."""
    raw = without_person(model, record.raw, customer_key, keep_payments=keep_payments)
    return type(record).from_api(raw)


def without_forgotten(model: type[Mirror], records: Iterable[Any], *, mode: str, using: str) -> list[Any]:
    """The records, those of forgotten customers without personal data. Takes two queries at most."""
    found = list(records)
    if model not in KEPT:
        return found
    wanted = {record.key: list(identifiers_of(model, record)) for record in found}
    among = forgotten_among((each for several in wanted.values() for each in several), mode=mode, using=using)
    return [
        record_without_person(model, record, person.customer_key, keep_payments=person.kept_payments)
        if (person := _first(record, wanted[record.key], among)) is not None
        else record
        for record in found
    ]


def _first(
    record: Any, identifiers: Iterable[Identifier], among: Mapping[Identifier, Forgotten]
) -> Forgotten | None:
    for identifier in identifiers:
        person = among.get(identifier)
        # An address alone may belong to somebody who came back, and then what is newer is not forgotten.
        is_newer = person is not None and record.created_at is not None and record.created_at > person.at
        if person is not None and not (identifier[0] == EMAIL and is_newer):
            return person
    return None


def identifiers_of(model: type[Mirror], record: Any) -> Iterator[Identifier]:
    """What the record says about who its customer is."""
    if model is Customer:
        yield REMOTE_KEY, record.key
        yield CUSTOMER_KEY, record.customer_key
        return
    if model is Lead:
        yield from ((EMAIL, text) for text in addresses_in(record.raw))
        return
    yield REMOTE_KEY, record.customer_key
    yield CUSTOMER_KEY, _external_key(record)
    if model is Deal:
        # A deal names its customer by either key, or only by a contact's address.
        yield CUSTOMER_KEY, record.customer_key
        yield from ((EMAIL, text) for text in addresses_in(record.raw))


def _external_key(record: Any) -> str:
    """The site's key of the customer of a payment, a reward or an action."""
    customer = record.raw.get("customer")
    nested = customer.get("external_key") if isinstance(customer, Mapping) else ""
    return getattr(record, "customer_external_key", "") or (nested if isinstance(nested, str) else "")
