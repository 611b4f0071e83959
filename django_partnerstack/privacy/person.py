"""What this site knows about a customer: read before anything is erased, so that it is found everywhere."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from django.db import models, router, transaction

from .. import sources
from ..identity.addresses import is_any_in
from ..identity.customers import identity_of_key
from ..identity.references import NO_OBJECT, Reference, loaded, models_with_source
from ..identity.stored_values import ask
from ..identity.tombstones import CUSTOMER_KEY, EMAIL, REMOTE_KEY, Identifier, normalised
from ..models import Attribution, Customer, OutboxMessage
from ..outbox.operations import customer_snapshots
from ..outbox.permitted import same_address
from ..outbox.queue.new_message import customer_lane

#: A shorter text, such as a first name, may be a part of any other text.
SHORTEST = 6

#: How keys begin that replace keys with an e-mail address.
PSEUDONYM = "forgotten-"

#: Where PartnerStack shows the values of custom fields.
FIELDS = ("mdata", "m_data", "field_data", "meta")


@dataclass
class Person:
    """
    A customer who is being forgotten.

    ``customer_key``: its key so far. ``known_as``: the key under which the rest of it is stored.
    ``remote_keys``: PartnerStack's own keys. ``objects``: the site's objects.
    ``texts``: names, addresses and browsers. ``custom_fields``: names of PartnerStack's custom fields with
    values. ``conflict``: PartnerStack has somebody else under the key.
    """

    mode: str
    using: str
    customer_key: str
    known_as: str
    keep_payments: bool = False
    remote_keys: set[str] = field(default_factory=set)
    provider_keys: set[str] = field(default_factory=set)
    emails: set[str] = field(default_factory=set)
    texts: set[str] = field(default_factory=set)
    objects: set[Reference] = field(default_factory=set)
    custom_fields: set[str] = field(default_factory=set)
    conflict: bool = False

    @property
    def keys(self) -> tuple[str, str]:
        return self.customer_key, self.known_as

    @property
    def is_renamed(self) -> bool:
        return self.known_as.startswith(PSEUDONYM)

    @property
    def lanes(self) -> tuple[str, ...]:
        return tuple(map(customer_lane, self.keys))

    @property
    def identifiers(self) -> list[Identifier]:
        return [
            (CUSTOMER_KEY, self.customer_key),
            *((REMOTE_KEY, key) for key in sorted(self.remote_keys)),
            *((EMAIL, email) for email in sorted(self.emails)),
        ]

    def is_named_in(self, text: str) -> bool:
        """Whether a text contains one of the person's addresses, names or browsers."""
        named = [each.lower() for each in self.texts if len(each) >= SHORTEST]
        return self.has_address_in(text) or any(each in text.lower() for each in named)

    def has_address_in(self, value: Any) -> bool:
        """Whether a text or some JSON contains one of the person's addresses."""
        return is_any_in(self.emails, value)

    def is_among(self, identifiers: Iterable[Identifier]) -> bool:
        """Whether one of them identifies the person."""
        known = {*self.identifiers, (CUSTOMER_KEY, self.known_as)}
        return any(normalised(each) in known for each in identifiers)

    def learn(self, email: Any = "", *texts: Any) -> None:
        if isinstance(email, str) and email.strip():
            self.emails.add(email.strip().lower())
        self.texts |= {text for text in texts if isinstance(text, str) and text}


def read_person(person: Person, *, instance: models.Model | None = None) -> None:
    """Collect what the tables and the site's own object say about a person."""
    with suppress(Exception):  # A source that fails must not keep a person from being forgotten.
        _read_object(person, instance)
    _read_messages(person)
    _read_mirror(person)
    using = router.db_for_write(Attribution)
    rows = Attribution.objects.using(using).filter(mode=person.mode, customer_key__in=person.keys)
    for row in rows:
        person.learn("", *row.visit.values())
    person.objects.discard(NO_OBJECT)


def _read_object(person: Person, instance: models.Model | None) -> None:
    if instance is not None:
        _read_source(person, instance)
        return
    identity = identity_of_key(person.customer_key, mode=person.mode, using=person.using)
    if identity is None or identity.host is None:
        return
    host = identity.host
    person.objects.add(Reference(host.label, host.pk, host.namespace))
    for model in models_with_source(identity.host):
        with loaded(identity.host, model) as found:
            if found is not None:
                _read_source(person, found)


def _read_source(person: Person, instance: models.Model) -> None:
    describe = sources.find(sources.customers, type(instance))
    if describe is None:
        return
    with transaction.atomic(person.using):
        data = ask(describe, instance)
    if isinstance(data, sources.CustomerData):
        person.learn(str(data.email), str(data.name or ""))


def _read_messages(person: Person) -> None:
    rows = OutboxMessage.objects.using(person.using).filter(mode=person.mode, lane__in=person.lanes)
    for row in rows.filter(operation__in=customer_snapshots()).order_by("pk").iterator(chunk_size=500):
        person.objects.add(Reference(row.source, row.source_pk, row.namespace))
        content: dict[str, Any] = row.content
        person.learn(content.get("email"), content.get("name"), content.get("ip_address"))
        person.learn("", content.get("user_agent"))
        person.custom_fields |= set(content.get("meta") or {})
        if isinstance(content.get("provider_key"), str):
            person.provider_keys.add(content["provider_key"])


def _read_mirror(person: Person) -> None:
    rows = Customer.objects.using(router.db_for_write(Customer)).filter(mode=person.mode)
    own = set(person.emails)
    for row in rows.filter(customer_key__in=person.keys).order_by("pk"):
        if _is_somebody_else(row, own, person):
            person.conflict = True
            continue
        person.remote_keys.add(row.key)
        person.learn(row.email, row.name)
        person.provider_keys |= {row.provider_key} - {""}
        person.custom_fields |= set(_custom_fields(row.raw))


def _is_somebody_else(row: Customer, emails: Iterable[str], person: Person) -> bool:
    """Whether this site could not create the customer, because another address has its key."""
    if not row.email or not emails or any(same_address(email, row.email) for email in emails):
        return False
    rows = OutboxMessage.objects.using(person.using).filter(mode=person.mode, lane__in=person.lanes)
    return not rows.filter(operation__in=customer_snapshots(), state="delivered").exists()


def _custom_fields(raw: Any) -> Iterable[str]:
    for name in FIELDS:
        values = raw.get(name) if isinstance(raw, dict) else None
        if isinstance(values, dict):
            yield from (field for field, value in values.items() if value not in (None, ""))
