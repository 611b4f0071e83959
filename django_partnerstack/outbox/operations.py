"""
Everything this app can tell PartnerStack: the one table from an operation's name to what is done.

A message holds a name of this table; nothing that the database holds is ever called.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from ..client import Client
from ..exceptions import NotFound
from ..models import Customer, Mirror, Partnership, Transaction

#: How far the clocks of this site and PartnerStack may be apart when a transaction is looked for by time.
SKEW = timedelta(minutes=5)


Find = Callable[[Client, dict[str, Any], datetime, datetime, Callable[[], None]], Any]


@dataclass(frozen=True)
class Operation:
    """
    One kind of message.

    ``send``: carries it out; gives the record that came back, or None. ``find``: looks up by natural key what
    an earlier attempt may have made, given the span of time in which that was, and a function that waits for
    the next free slot, to be called before each request but the first; gives the record or None.
    ``repeatable``: doing it twice is the same as doing it once, so it needs no look-up. An operation that
    is neither repeatable nor findable is left to a person when nobody knows whether it was carried out.
    ``agrees``: the fields in which what was found must be as it was asked.
    """

    send: Callable[[Client, dict[str, Any]], Any]
    find: Find | None = None
    repeatable: bool = False
    agrees: tuple[str, ...] = ()
    model: type[Mirror] | None = None
    #: Ends the object, so that "not found" means it is gone already.
    removes: bool = False
    #: Creates the lane's customer: comes first, and everything else in the lane waits for it.
    creates_customer: bool = False
    #: What happens later to the same object must not leave before.
    awaited: bool = False
    #: A good answer does not say whether anything was made: it counts once a look-up finds it.
    unconfirmed: bool = False
    #: Sent with the tracking token, and not with the key pair.
    by_token: bool = False

    def disagreement(self, content: dict[str, Any], record: Any) -> str:
        """In what PartnerStack has another object than the one that was asked for, as far as it says."""
        for name in self.agrees:
            asked, has = content.get(name), getattr(record, name, None)
            if asked not in (None, "") and has not in (None, "") and asked != has:
                return f"another {name}: {has!r}, not {asked!r}"
        return ""


def _create_customer(client: Client, payload: dict[str, Any]) -> Any:
    return client.customers.create(**payload)


def _convert(client: Client, content: dict[str, Any]) -> None:
    client.conversions.create(**{name: value for name, value in content.items() if name != "partner_key"})


def _update_customer(client: Client, payload: dict[str, Any]) -> Any:
    changes = {name: value for name, value in payload.items() if name not in {"customer_key", "partner_key"}}
    return client.customers.update(payload["customer_key"], **changes)


def _find_customer(client: Client, payload: dict[str, Any], *span: Any) -> Any:
    return _found(client.customers.get, payload["customer_key"])


def _create_transaction(client: Client, payload: dict[str, Any]) -> Any:
    when = payload.get("created_at")
    dated = {"created_at": datetime.fromisoformat(when)} if when else {}
    return client.transactions.create(**{**payload, **dated})


def _find_transaction(
    client: Client, payload: dict[str, Any], begin: datetime, end: datetime, turn: Callable[[], None]
) -> Any:
    """No transaction can be read by its key: list those of the time in which it was made."""
    found = _find_between(client, payload["key"], begin, end, turn)
    if found is None and (when := payload.get("created_at")):
        turn()
        dated = datetime.fromisoformat(when)
        found = _find_between(client, payload["key"], dated, dated, turn)
    return found


def _find_between(client: Client, key: str, begin: datetime, end: datetime, turn: Callable[[], None]) -> Any:
    for page in client.transactions.pages(min_created=begin - SKEW, max_created=end + SKEW):
        for record in page.records:
            if record.key == key:
                return record
        for error in page.unusable:
            if not isinstance(error.raw, dict) or error.raw.get("key") == key:
                # It may be the one, so that it cannot be said that there is none.
                raise error
        if page.next_cursor is not None:
            turn()
    return None


def _find_partnership(client: Client, payload: dict[str, Any], *span: Any) -> Any:
    return _found(client.partnerships.get, payload.get("partner_key") or payload["email"])


def _update_partnership(client: Client, payload: dict[str, Any]) -> Any:
    changes = dict(payload)
    return client.partnerships.update(changes.pop("key"), **changes)


def _found(get: Callable[[str], Any], key: str) -> Any:
    try:
        return get(key)
    except NotFound:
        return None


#: What a change of a customer is queued as; it becomes a creation or an update when its turn comes.
SAVE_CUSTOMER = "customers.save"

#: The operations that create the customer of a lane.
CREATE_CUSTOMER = ("customers.create", "conversions.create")

#: The operations whose content is all that this site has said of a customer.
CUSTOMER_SNAPSHOTS = (SAVE_CUSTOMER, "customers.create", "conversions.create", "customers.update")

OPERATIONS: dict[str, Operation] = {
    "customers.create": Operation(
        send=_create_customer,
        find=_find_customer,
        agrees=("customer_key", "partner_key"),
        model=Customer,
        creates_customer=True,
        awaited=True,
    ),
    "conversions.create": Operation(
        send=_convert,
        find=_find_customer,
        agrees=("customer_key",),
        model=Customer,
        creates_customer=True,
        awaited=True,
        unconfirmed=True,
        by_token=True,
    ),
    "customers.update": Operation(send=_update_customer, repeatable=True, model=Customer),
    "customers.archive": Operation(
        send=lambda client, payload: client.customers.delete(payload["customer_key"]),
        repeatable=True,
        model=Customer,
        removes=True,
    ),
    "transactions.create": Operation(
        send=_create_transaction,
        find=_find_transaction,
        agrees=("key", "amount", "currency", "customer_external_key"),
        model=Transaction,
        awaited=True,
    ),
    "transactions.delete": Operation(
        send=lambda client, payload: client.transactions.delete(payload["key"]),
        repeatable=True,
        model=Transaction,
        removes=True,
        awaited=True,
    ),
    # An action cannot be found again: PartnerStack's list of actions knows no key of the caller's.
    "actions.create": Operation(send=lambda client, payload: client.actions.create(**payload)),
    "partnerships.create": Operation(
        send=lambda client, payload: client.partnerships.create(**payload),
        find=_find_partnership,
        agrees=("email",),
        model=Partnership,
        awaited=True,
    ),
    "partnerships.update": Operation(send=_update_partnership, repeatable=True, model=Partnership),
    "partnerships.archive": Operation(
        send=lambda client, payload: client.partnerships.archive(payload["key"]),
        repeatable=True,
        model=Partnership,
        removes=True,
    ),
}
