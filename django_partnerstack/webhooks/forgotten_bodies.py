"""Events about forgotten customers: their bodies are deleted before they are processed."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any

from ..identity.addresses import addresses_in
from ..identity.tombstones import CUSTOMER_KEY, EMAIL, REMOTE_KEY, Identifier, forgotten_among, is_personal
from ..models import WebhookEvent
from .queue import events

#: The names under which a body has a key of a customer.
KEYS = ("key", "customer_key", "external_key", "customer_external_key", "target_key")

#: Identifiers that are compared. No real body has as many.
MOST = 200


def delete_bodies(claimed: list[WebhookEvent], mode: str) -> None:
    """
    Delete the bodies of the events about forgotten customers. Takes one query if nobody was ever forgotten.

    Only a key stays, by which the object is read again; without its customer's data, as every object is.
    """
    using = events().db
    wanted = {event.pk: set(islice(identifiers_in(event.body), MOST)) for event in claimed}
    known = forgotten_among((each for found in wanted.values() for each in found), mode=mode, using=using)
    for event in claimed:
        if known.keys() & wanted[event.pk]:
            event.body = None
            event.key = "" if is_personal(event.key) else event.key
            events().filter(pk=event.pk).update(body=None, key=event.key)


def identifiers_in(body: Any) -> Iterator[Identifier]:
    """Everything in a body that may identify a customer."""
    yield from _keys_in(body)
    yield from ((EMAIL, address) for address in addresses_in(body))


def _keys_in(value: Any, name: str = "") -> Iterator[Identifier]:
    if isinstance(value, dict):
        for key, each in value.items():
            yield from _keys_in(each, key)
    elif isinstance(value, list):
        for each in value:
            yield from _keys_in(each, name)
    elif isinstance(value, str) and 0 < len(value) <= 255 and name in KEYS:
        yield CUSTOMER_KEY, value
        yield REMOTE_KEY, value
