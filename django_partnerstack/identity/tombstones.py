"""
Forgotten customers: recognising them when their data come back, without knowing who they were.

A tombstone is an HMAC of what identifies a customer. Its key is random and stored in the table, so that a
site may change SECRET_KEY. Who can read the database can still test whether an address that they know was
forgotten, but cannot read any address.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from ..models import ForgottenCustomer, Tombstone
from ..models.bulk import Condition, none_of

#: What identifies a customer: the site's key, PartnerStack's own key, an e-mail address. With its value.
CUSTOMER_KEY, REMOTE_KEY, EMAIL = "customer_key", "key", "email"
Identifier = tuple[str, str]

#: Why nothing is reported about an object, for operators.
REASON = "The customer was forgotten."


@dataclass(frozen=True)
class Forgotten:
    """
    ``customer_key``: the key under which the rest of the customer is stored, which may be another. ``at``:
    when it was forgotten. ``kept_payments``: the texts of its payments stay.
    """

    customer_key: str
    at: datetime
    kept_payments: bool


def is_personal(key: str) -> bool:
    """Whether a key must not be kept, because it contains an e-mail address."""
    return "@" in key


def forgotten_among(
    identifiers: Iterable[Identifier], *, mode: str, using: str
) -> dict[Identifier, Forgotten]:
    """Those that identify forgotten customers. Takes one query if no customer was ever forgotten, or two."""
    wanted = {identifier for identifier in identifiers if identifier[1]}
    if not wanted or not (salt := salt_of(mode, using)):
        return {}
    # An address in upper case has the digest of the same in lower case.
    digests: dict[str, list[Identifier]] = defaultdict(list)
    for identifier in wanted:
        digests[digest(salt, identifier)].append(identifier)
    stones = Tombstone.objects.using(using).filter(mode=mode, digest__in=list(digests))
    rows = stones.order_by("pk").select_related("customer")
    return {
        identifier: Forgotten(
            row.customer.customer_key, row.customer.forgotten_at, row.customer.kept_payments
        )
        for row in rows
        for identifier in digests[row.digest]
    }


def newest(mode: str, using: str) -> int:
    """The primary key of the customer that was forgotten last; 0 if none ever was."""
    rows = ForgottenCustomer.objects.using(using).filter(mode=mode).order_by("-pk")
    return rows.values_list("pk", flat=True).first() or 0


def nobody_since(known: int, mode: str, using: str) -> Condition:
    """The condition that nobody was forgotten after the customer with this primary key."""
    return none_of(ForgottenCustomer.objects.filter(mode=mode, pk__gt=known), using=using)


def salt_of(mode: str, using: str) -> str:
    """The key of all hashes of a mode; empty if no customer was ever forgotten."""
    rows = ForgottenCustomer.objects.using(using).filter(mode=mode).order_by("pk")
    return rows.values_list("salt", flat=True).first() or ""


def new_salt() -> str:
    return secrets.token_hex(32)


def normalised(identifier: Identifier) -> Identifier:
    """An address is the same in upper and lower case."""
    kind, value = identifier
    return kind, value.strip().lower() if kind == EMAIL else value


def digest(salt: str, identifier: Identifier) -> str:
    kind, value = normalised(identifier)
    return hmac.new(bytes.fromhex(salt), f"{kind}\0{value}".encode(), hashlib.sha256).hexdigest()
