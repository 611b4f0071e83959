"""What was last reported about objects, compared with what their sources return now."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, auto

from ..identity.customers import Identity
from ..models import Customer, OutboxMessage, ReportedKey, Transaction
from .operations import CREATE_TRANSACTION, SAVE_CUSTOMER
from .queue.conflicts import collision_key
from .queue.new_message import NewMessage, columns_of
from .queue.once import is_replaceable, messages_about
from .queue.reported_keys import difference, difference_to_mirror, is_other_object, key_columns


class Status(Enum):
    """What was reported about an object, compared with what its source returns now."""

    NEW = auto()
    #: A customer whose data differ from the last.
    CHANGED = auto()
    KNOWN = auto()
    #: A payment whose amount, currency or customer differs from what was reported about it.
    DIFFERING = auto()
    #: A payment whose key was used for another object.
    TAKEN = auto()


@dataclass(frozen=True)
class Compared:
    """``difference``: of a payment, in words. ``key``: what was reported under its key."""

    status: Status
    difference: str = ""
    key: ReportedKey | None = None


class LastReported:
    """What was reported under the keys of some messages. Takes five queries at most."""

    def __init__(self, messages: Sequence[NewMessage], *, mode: str, using: str) -> None:
        self.mode = mode
        customers = [message.subject for message in messages if is_customer(message)]
        rows = Customer.objects.using(using).filter(mode=mode, customer_key__in=customers)
        self.mirrored_customers = set(rows.values_list("customer_key", flat=True)) if customers else set()
        once = [message for message in messages if message.dedupe_key]
        wanted = [*(message.dedupe_key for message in once), *(collision_key(each.source) for each in once)]
        keys = ReportedKey.objects.using(using).filter(mode=mode, dedupe_key__in=wanted)
        self.keys = {row.dedupe_key: row for row in keys} if once else {}
        self.about = self._messages_about(once, using)
        self.mirrored = self._mirrored(once, using)

    def _messages_about(self, once: list[NewMessage], using: str) -> dict[str, list[OutboxMessage]]:
        """The messages of payments that may be replaced by corrected ones."""
        rows = {message.subject: self.keys.get(message.dedupe_key) for message in once if message.payload}
        replaceable = [subject for subject, row in rows.items() if row and row.reported_at is None]
        return messages_about(replaceable, self.mode, using) if replaceable else {}

    def _mirrored(self, once: list[NewMessage], using: str) -> dict[str, Transaction]:
        """The payments that PartnerStack has by other means."""
        keys = [
            message.subject
            for message in once
            if message.operation == CREATE_TRANSACTION and message.dedupe_key not in self.keys
        ]
        rows = Transaction.objects.using(using).filter(mode=self.mode, key__in=keys) if keys else ()
        return {row.key: row for row in rows}

    def compare(self, message: NewMessage, identity: Identity | None) -> Compared:
        """``identity``: that of the customer of the message."""
        if is_customer(message):
            return self._customer(message, identity.last_reported if identity else "")
        row = self.keys.get(message.dedupe_key)
        if row is not None:
            return self._used(message, row)
        if (record := self.mirrored.get(message.subject)) is None or not message.payload:
            return Compared(Status.NEW)
        found = difference_to_mirror(columns_of(message, self.mode), record)
        return Compared(Status.DIFFERING if found else Status.KNOWN, found)

    def collision(self, message: NewMessage) -> ReportedKey | None:
        """The note of a collision of this object with another one."""
        return self.keys.get(collision_key(message.source))

    def _customer(self, message: NewMessage, last: str) -> Compared:
        if last:
            return Compared(Status.KNOWN if last == message.fingerprint else Status.CHANGED)
        # If only PartnerStack has reported it, there is nothing to compare with.
        return Compared(Status.KNOWN if message.subject in self.mirrored_customers else Status.NEW)

    def _used(self, message: NewMessage, row: ReportedKey) -> Compared:
        columns = columns_of(message, self.mode)
        if is_replaceable(row, columns, self.about.get(message.subject, ())):
            return Compared(Status.NEW, key=row)
        found = difference(row, columns)
        if not found:
            return Compared(Status.KNOWN, key=row)
        is_other = is_other_object(row, key_columns(columns))
        return Compared(Status.TAKEN if is_other else Status.DIFFERING, found, row)


def is_customer(message: NewMessage) -> bool:
    """Whether the message has a customer's data. A note has none."""
    return message.operation == SAVE_CUSTOMER and not message.skipped
