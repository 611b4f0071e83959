"""
The table of operations: what this app can send to PartnerStack, and all that differs between operations.

To add an operation, declare it here and queue a ``NewMessage`` with its name. A message stores the name of
its operation; only functions of this table are ever called for it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.dispatch import Signal
from django.utils.translation import gettext_lazy as _

from ..client import Client
from ..client.resources import actions, customers, transactions
from ..client.validation import Check, milliseconds
from ..models import Customer, Mirror, OutboxMessage, State, Transaction
from ..signals import customer_pushed, event_pushed, transaction_pushed
from .agreement import Comparison, compare
from .remote_search import (
    Content,
    Search,
    find_action_candidates,
    find_archived,
    find_customer,
    find_transaction,
)

Find = Callable[[Client, Content, Search], Any]
FindCandidates = Callable[[Client, Content, str, Search], Iterator[Any]]


@dataclass(frozen=True, kw_only=True)
class Operation:
    """
    An operation. Its fields decide how its messages are queued, sent, retried, signalled and deleted.

    ``send`` sends the content and returns the record in the response, or None. ``find`` looks up by natural
    key what an earlier attempt created, and returns the record or None; see ``finding.Search``.
    ``match_fields``: the fields in which the record must agree with the content. Otherwise it is another
    object with the same key, and the message fails.

    A message in doubt is retried if the operation is ``idempotent``, and looked up if it has ``find``.
    Otherwise it is put on hold; ``find_candidates`` then lists for an operator what may be its effect.
    """

    name: str
    send: Callable[[Client, Content], Any]
    #: The client's checks of the fields, so that invalid content is refused when it is queued.
    checks: Mapping[str, Check] = field(default_factory=dict)
    #: Sending it twice has the effect of sending it once, so it needs no look-up.
    idempotent: bool = False
    find: Find | None = None
    match_fields: tuple[str, ...] = ()
    find_candidates: FindCandidates | None = None
    #: A successful response does not prove that anything was created; only a look-up does.
    needs_confirmation: bool = False
    #: Sent with the tracking token instead of the key pair.
    uses_tracking_token: bool = False

    #: The field of the content with the natural key. ``model`` has a column of the same name.
    key_field: str
    #: Only one message with the same key is ever queued.
    once: bool = False
    #: Nothing is queued if the mirror has the key: it was reported by other means.
    once_in_mirror: bool = False

    #: The mirror that stores the record in the response.
    model: type[Mirror] | None = None
    #: Deletes or archives the object, so "not found" means that this is done already.
    deletes: bool = False
    #: It deletes nothing, but "not found" means for it, too, that nothing is left to do.
    done_if_missing: bool = False
    #: Its content has no personal data, so PARTNERSTACK_PRIVACY changes nothing.
    is_anonymous: bool = False
    #: Creates the customer of the lane. It is sent first, and all other messages of the lane depend on it.
    creates_customer: bool = False
    #: Its content is all data of a customer. The next data are queued only if they differ from the last.
    is_snapshot: bool = False
    #: Later messages about the same subject depend on it.
    blocks_dependents: bool = False
    #: It depends on earlier messages about the same subject whose operation ``blocks_dependents``.
    waits_for_subject: bool = False
    #: The fields that stay once the customer is forgotten, and in addition those of a payment if its texts
    #: are needed for the books.
    impersonal_fields: tuple[str, ...] = ()
    payment_texts: tuple[str, ...] = ()
    #: Sent after a delivery was committed.
    signal: Signal | None = None

    def check(self, payload: Content) -> None:
        """Raise InvalidArgument for content that the client would refuse."""
        for name, value in payload.items():
            if name in self.checks:
                self.checks[name](name, value)

    def dedupe_key(self, payload: Content) -> str:
        """Only one message with this key is ever queued. Empty: no limit."""
        key = payload.get(self.key_field)
        return f"{self.name}:{key}" if self.once and key else ""

    def compare(self, content: Content, record: Any) -> Comparison:
        """Whether PartnerStack's object with the key agrees with the content."""
        return compare(self.match_fields, content, record, key_field=self.key_field)


def _create_customer(client: Client, content: Content) -> Any:
    # PartnerStack requires an address of a customer that is not created by a click; the client says so.
    return client.customers.create(**{"email": "", **content})


def _convert_click(client: Client, content: Content) -> None:
    client.conversions.create(**{name: value for name, value in content.items() if name != "partner_key"})


def _update_customer(client: Client, content: Content) -> Any:
    changes = {name: value for name, value in content.items() if name not in {"customer_key", "partner_key"}}
    return client.customers.update(content["customer_key"], **changes)


def _anonymise_customer(client: Client, content: Content) -> Any:
    fields = {NEW_KEYS.get(name, name): value for name, value in content.items() if name != "customer_key"}
    return client.customers.update(content["customer_key"], **fields)


def _iso_datetime(name: str, value: str) -> int:
    return milliseconds(name, datetime.fromisoformat(value))


def _create_transaction(client: Client, content: Content) -> Any:
    when = content.get("created_at")
    dated = {"created_at": datetime.fromisoformat(when)} if when else {}
    return client.transactions.create(**{**content, **dated})


#: A customer's data are queued under this name. Sequencing decides whether they are a creation or an update.
SAVE_CUSTOMER = "customers.save"

CREATE_CUSTOMER = "customers.create"
CONVERT_CLICK = "conversions.create"
UPDATE_CUSTOMER = "customers.update"
ANONYMISE_CUSTOMER = "customers.anonymise"
CLEAR_FIELDS = "customers.clear_fields"
ARCHIVE_CUSTOMER = "customers.archive"
CREATE_TRANSACTION = "transactions.create"
DELETE_TRANSACTION = "transactions.delete"
CREATE_ACTION = "actions.create"

#: The label of UNCONFIRMED for an operation that ``needs_confirmation``.
TO_BE_CONFIRMED = _("to be confirmed")

#: What identifies a payment.
PAYMENT = ("key", "customer_external_key", "amount", "currency")

#: The content of an anonymisation names the customer's present key as all operations do.
NEW_KEYS = {"new_customer_key": "customer_key"}

OPERATIONS: dict[str, Operation] = {
    operation.name: operation
    for operation in (
        Operation(
            name=CREATE_CUSTOMER,
            checks=customers.CHECKS,
            send=_create_customer,
            find=find_customer,
            match_fields=("customer_key", "email", "partner_key"),
            key_field="customer_key",
            model=Customer,
            creates_customer=True,
            is_snapshot=True,
            blocks_dependents=True,
            impersonal_fields=("customer_key", "partner_key"),
            signal=customer_pushed,
        ),
        Operation(
            name=CONVERT_CLICK,
            checks=customers.CHECKS,
            send=_convert_click,
            find=find_customer,
            match_fields=("customer_key", "email"),
            needs_confirmation=True,
            uses_tracking_token=True,
            key_field="customer_key",
            model=Customer,
            creates_customer=True,
            is_snapshot=True,
            blocks_dependents=True,
            impersonal_fields=("customer_key", "partner_key"),
            signal=customer_pushed,
        ),
        Operation(
            name=UPDATE_CUSTOMER,
            checks=customers.CHECKS,
            send=_update_customer,
            idempotent=True,
            key_field="customer_key",
            model=Customer,
            is_snapshot=True,
            impersonal_fields=("customer_key", "partner_key"),
            signal=customer_pushed,
        ),
        Operation(
            name=ANONYMISE_CUSTOMER,
            checks=customers.CHECKS,
            send=_anonymise_customer,
            idempotent=True,
            match_fields=("email", "name"),
            key_field="customer_key",
            once=True,
            model=Customer,
            done_if_missing=True,
            is_anonymous=True,
            blocks_dependents=True,
            waits_for_subject=True,
        ),
        # Apart, because PartnerStack may require a value of a custom field.
        Operation(
            name=CLEAR_FIELDS,
            checks=customers.CHECKS,
            send=_anonymise_customer,
            idempotent=True,
            key_field="customer_key",
            once=True,
            model=Customer,
            done_if_missing=True,
            is_anonymous=True,
            waits_for_subject=True,
        ),
        Operation(
            name=ARCHIVE_CUSTOMER,
            send=lambda client, content: client.customers.delete(content["customer_key"]),
            find=find_archived,
            needs_confirmation=True,
            key_field="customer_key",
            once=True,
            model=Customer,
            deletes=True,
            is_anonymous=True,
            waits_for_subject=True,
        ),
        Operation(
            name=CREATE_TRANSACTION,
            checks={**transactions.CUSTOMER_CHECKS, **transactions.CHECKS, "created_at": _iso_datetime},
            send=_create_transaction,
            find=find_transaction,
            match_fields=PAYMENT,
            key_field="key",
            once=True,
            once_in_mirror=True,
            model=Transaction,
            blocks_dependents=True,
            waits_for_subject=True,
            impersonal_fields=(*PAYMENT, "product_key", "category_key", "created_at"),
            payment_texts=("metadata",),
            signal=transaction_pushed,
        ),
        Operation(
            name=DELETE_TRANSACTION,
            send=lambda client, content: client.transactions.delete(content["key"]),
            idempotent=True,
            key_field="key",
            once=True,
            model=Transaction,
            deletes=True,
            blocks_dependents=True,
            waits_for_subject=True,
            impersonal_fields=("key", "refund", "is_correction"),
            signal=transaction_pushed,
        ),
        # PartnerStack's list of actions does not show the caller's keys, so an action cannot be looked up.
        Operation(
            name=CREATE_ACTION,
            checks=actions.CHECKS,
            send=lambda client, content: client.actions.create(**content),
            find_candidates=find_action_candidates,
            key_field="external_key",
            once=True,
            impersonal_fields=("type", "value", "target_type", "target_key", "external_key"),
            signal=event_pushed,
        ),
    )
}


def names(which: Callable[[Operation], bool]) -> tuple[str, ...]:
    """The names of the operations that ``which`` selects."""
    return tuple(operation.name for operation in OPERATIONS.values() if which(operation))


def state_label(message: OutboxMessage) -> Any:
    """
    The state of a message, for people.

    An operation that a look-up must confirm is unconfirmed in the normal course, not by an accident.
    """
    operation = OPERATIONS.get(message.operation)
    if message.state == State.UNCONFIRMED and operation is not None and operation.needs_confirmation:
        return TO_BE_CONFIRMED
    return State(message.state).label


def creating_customers() -> tuple[str, ...]:
    return names(lambda operation: operation.creates_customer)


def customer_snapshots() -> tuple[str, ...]:
    """The operations whose content is all data of a customer."""
    return (SAVE_CUSTOMER, *names(lambda operation: operation.is_snapshot))


def mirrored_in(model: type[Mirror]) -> tuple[str, ...]:
    """The operations that are about a row of this mirror."""
    queued = (SAVE_CUSTOMER,) if model is Customer else ()
    return (*queued, *names(lambda operation: operation.model is model))
