"""The keys of payments: those of the site, and those derived from them for a balance or a correction."""

from __future__ import annotations

import re
from typing import Any

from ..exceptions import InvalidArgument
from ..mapping.text import UNSTORABLE

#: PartnerStack allows 4 to 255 characters; the rest is for the suffix of a derived key.
SHORTEST_KEY, LONGEST_KEY = 4, 240

#: How derived keys end. No key of the site may end so. All characters are allowed in a URL as they are.
RESERVED = re.compile(r"~r[0-9]+\Z")


def check_text(name: str, key: object) -> None:
    """Raise InvalidArgument for what cannot be searched for in the database. ``name``: begins the error."""
    if not isinstance(key, str):
        raise InvalidArgument(f"{name} must be a string; not {key!r:.100} ({type(key).__name__}).")
    if UNSTORABLE.search(key):
        raise InvalidArgument(f"{name} contains a NUL character or half of a surrogate pair: {key!r:.100}.")


def check_key(key: Any) -> None:
    """Raise InvalidArgument for a key that the site cannot use for a payment."""
    check_text("A transaction key", key)
    if not SHORTEST_KEY <= len(key) <= LONGEST_KEY or not key.strip():
        raise InvalidArgument(
            f"A transaction key has {SHORTEST_KEY} to {LONGEST_KEY} characters, not only blanks; not {key!r}."
        )
    if RESERVED.search(key):
        raise InvalidArgument(
            f"The transaction key {key!r} ends like a key that a refund derives (~r1, ~r2, …); use another."
        )


def derived_key(payment: str, number: int) -> str:
    """The key of what replaces a payment at PartnerStack for the ``number``-th time."""
    return f"{payment}~r{number}"


def payment_key(key: str) -> str:
    """The key that a payment was reported under, from that key or one derived from it."""
    return RESERVED.sub("", key)


def number_of(key: str) -> int:
    """The number of a derived key; 0 for the key of the site."""
    found = RESERVED.search(key)
    return int(found.group()[2:]) if found else 0
