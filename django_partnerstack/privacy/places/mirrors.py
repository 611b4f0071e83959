"""The mirrors of what PartnerStack has about a person. What identifies it is the same as for a sync."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.db.models import Q, QuerySet

from ...exceptions import RecordError
from ...identity.tombstones import is_personal
from ...mapping.kept_fields import identifiers_of, without_person
from ...models import Action, Customer, Deal, Lead, Mirror, Reward, Transaction
from ...resources import of_model
from ..person import Person
from .place import Place, of_mode, with_address, with_any, with_text


def mirrored(model: type[Mirror], condition: Callable[[Person], Q], *blank: str) -> Place:
    """``condition``: for the rows that may be about a person. ``blank``: the columns with personal data."""

    def rows(person: Person) -> QuerySet[Any]:
        return with_text(of_mode(model, person), "raw").filter(condition(person))

    def change(row: Any, person: Person) -> dict[str, Any]:
        if not _is_about(row, person):
            return {}
        columns: dict[str, Any] = dict.fromkeys(blank, "")
        for name in ("customer_key", "customer_external_key"):
            if is_personal(getattr(row, name, "")):
                columns[name] = person.known_as
        if is_personal(getattr(row, "external_key", "")):
            columns["external_key"] = ""
        raw = row.raw if isinstance(row.raw, dict) else {}
        columns["raw"] = without_person(model, raw, person.known_as, keep_payments=person.keep_payments)
        return columns

    return Place(rows, change)


def _is_about(row: Any, person: Person) -> bool:
    known = {*person.remote_keys, *person.keys}
    names = ("customer_key", "customer_external_key")
    if isinstance(row, Customer):
        return True
    if any(getattr(row, name, "") in known for name in names):
        return True
    try:
        record = of_model(type(row)).record.from_api(row.raw)
    except RecordError:
        return person.has_address_in(row.raw)
    return person.is_among(identifiers_of(type(row), record))


def _is_customer(person: Person) -> Q:
    return Q(key__in=person.remote_keys)


def _is_payment(person: Person) -> Q:
    return Q(customer_key__in=person.remote_keys) | Q(customer_external_key__in=person.keys)


def _has_customer(person: Person) -> Q:
    """Rewards and actions have no column with the site's key, and PartnerStack's may not be known."""
    keys = [f'"{key}"' for key in person.keys]
    return Q(customer_key__in=person.remote_keys) | with_any("raw", keys)


def _has_contact(person: Person) -> Q:
    """Leads and deals may name their customer only by an address."""
    return with_address("raw", person)


def _is_deal(person: Person) -> Q:
    return _has_contact(person) | Q(customer_key__in=[*person.remote_keys, *person.keys])


MIRRORS: tuple[Place, ...] = (
    mirrored(Customer, _is_customer, "email", "name", "provider_key"),
    mirrored(Transaction, _is_payment),
    mirrored(Reward, _has_customer),
    mirrored(Action, _has_customer),
    mirrored(Deal, _is_deal, "account_name"),
    mirrored(Lead, _has_contact),
)
