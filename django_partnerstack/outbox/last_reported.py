"""What was last reported about objects, compared with what their sources return now."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, auto

from ..identity.customers import Identity
from ..models import Customer, OutboxMessage, ReportedKey, Transaction
from .operations import CREATE_TRANSACTION, SAVE_CUSTOMER
from .queue.messages import NewMessage, columns_of
from .queue.once import (
    collision,
    gives_way,
    is_other_object,
    key_columns,
    messages_about,
    mirror_collision,
)


class Kind(Enum):
    """How an object stands to what was reported about it."""

    NEW = auto()
    #: A customer whose data differ from the last.
    CHANGED = auto()
    KNOWN = auto()
    #: A payment whose amount, currency or customer differs from what was reported about it.
    DIFFERING = auto()
    #: A payment whose key was used for another object.
    TAKEN = auto()


@dataclass(frozen=True)
class Standing:
    """``difference``: of a payment, in words."""

    kind: Kind
    difference: str = ""


class LastReported:
    """What was reported under the keys of some messages. Takes five queries at most."""

    def __init__(self, messages: Sequence[NewMessage], *, mode: str, using: str) -> None:
        self.mode = mode
        customers = [message.subject for message in messages if is_customer(message)]
        rows = Customer.objects.using(using).filter(mode=mode, customer_key__in=customers)
        self.mirrored_customers = set(rows.values_list("customer_key", flat=True)) if customers else set()
        once = [message for message in messages if message.dedupe_key]
        keys = ReportedKey.objects.using(using).filter(
            mode=mode, dedupe_key__in=[message.dedupe_key for message in once]
        )
        self.keys = {row.dedupe_key: row for row in keys} if once else {}
        self.about = self._messages_about(once, using)
        self.mirrored = self._mirrored(once, using)

    def _messages_about(self, once: list[NewMessage], using: str) -> dict[str, list[OutboxMessage]]:
        """The messages of payments that may give way to corrected ones."""
        rows = {message.subject: self.keys.get(message.dedupe_key) for message in once if message.payload}
        may_give_way = [subject for subject, row in rows.items() if row and row.reported_at is None]
        return messages_about(may_give_way, self.mode, using) if may_give_way else {}

    def _mirrored(self, once: list[NewMessage], using: str) -> dict[str, Transaction]:
        """The payments that PartnerStack has by other means."""
        keys = [
            message.subject
            for message in once
            if message.operation == CREATE_TRANSACTION and message.dedupe_key not in self.keys
        ]
        rows = Transaction.objects.using(using).filter(mode=self.mode, key__in=keys) if keys else ()
        return {row.key: row for row in rows}

    def standing(self, message: NewMessage, identity: Identity | None) -> Standing:
        """``identity``: that of the customer of the message."""
        if is_customer(message):
            return self._customer(message, identity.last_reported if identity else "")
        row = self.keys.get(message.dedupe_key)
        if row is not None:
            return self._used(message, row)
        if (record := self.mirrored.get(message.subject)) is None or not message.payload:
            return Standing(Kind.NEW)
        difference = mirror_collision(columns_of(message, self.mode), record)
        return Standing(Kind.DIFFERING, difference) if difference else Standing(Kind.KNOWN)

    def _customer(self, message: NewMessage, told: str) -> Standing:
        if told:
            return Standing(Kind.KNOWN if told == message.fingerprint else Kind.CHANGED)
        # If only PartnerStack has reported it, there is nothing to compare with.
        return Standing(Kind.KNOWN if message.subject in self.mirrored_customers else Kind.NEW)

    def _used(self, message: NewMessage, row: ReportedKey) -> Standing:
        columns = columns_of(message, self.mode)
        if gives_way(row, columns, self.about.get(message.subject, ())):
            return Standing(Kind.NEW)
        difference = collision(row, columns)
        if not difference:
            return Standing(Kind.KNOWN)
        return Standing(
            Kind.TAKEN if is_other_object(row, key_columns(columns)) else Kind.DIFFERING, difference
        )


def is_customer(message: NewMessage) -> bool:
    """Whether the message has a customer's data. A note has none."""
    return message.operation == SAVE_CUSTOMER and not message.skipped
