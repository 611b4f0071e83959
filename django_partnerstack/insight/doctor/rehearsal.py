"""
The launch rehearsal: a test customer and a test transaction are created, read back and removed.

With test keys, a customer belongs to the test partner ``gstest`` and earns nobody a reward
(docs.partnerstack.com/docs/authentication). Nothing is written here: the site's messages and mirrors are not
used.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from functools import partial
from secrets import token_hex
from typing import Any

from ...client import Client
from ...conf import conf
from ...exceptions import NotFound, PartnerStackError, RequestError
from ...models.mirror import Mode
from ...outbox.remote_search import Search, find_customer, find_transaction
from ..findings import Finding, finding
from .answers import TEST_PARTNER
from .item import Item

#: Seconds until PartnerStack must show what it created, and in which it must have removed it.
SHOWN_WITHIN, REMOVED_WITHIN = 60.0, 30.0

#: Seconds between two look-ups, and before a request that had no effect is sent again.
PAUSE = 2.0

#: What the keys of all rehearsals begin with.
PREFIX = "doctor-"

#: Objects of a rehearsal that was killed are removed by a later one, after this time.
LEFT_AFTER = timedelta(hours=1)

AMOUNT, CURRENCY = 100, "USD"


class Failed(Exception):
    """A step failed, so those that need it cannot be tried."""

    def __init__(self, found: Finding) -> None:
        super().__init__(found.sentence)
        self.found = found


@dataclass
class Created:
    """An object that PartnerStack has, or may have. ``keys``: all that may identify it."""

    noun: str
    keys: list[str]
    remove: Callable[[str], None]


@dataclass
class Rehearsal:
    """
    Goes through the steps, and calls ``show`` with each as soon as it has ended.

    Whatever happens, also Ctrl-C, what was created is removed; what may be left is named. ``sleep`` and
    ``clock`` can be replaced in tests.
    """

    client: Client
    show: Callable[[Item], object]
    sleep: Callable[[float], object] = time.sleep
    clock: Callable[[], float] = time.time
    key: str = field(default_factory=lambda: f"{PREFIX}{token_hex(8)}")
    _created: list[Created] = field(default_factory=list)

    def run(self) -> None:
        """Raises ``ValueError`` in production mode; no error of PartnerStack."""
        if conf.mode != Mode.TEST:
            raise ValueError("A rehearsal needs test mode.")
        try:
            for name, step in (
                ("find the test partner", self._find_partner),
                ("remove what an earlier rehearsal left", self._remove_left),
                ("create a test customer", self._create_customer),
                ("read the customer back", self._read_customer),
                ("create a test transaction", self._create_transaction),
                ("read the transaction back", self._read_transaction),
            ):
                if not self._step(name, step):
                    break
        finally:
            self._remove_all()

    def _remove_all(self) -> None:
        try:
            while self._created:
                created = self._created[-1]
                self._step(f"remove the test {created.noun}", partial(self._remove, created))
                self._created.pop()
        except BaseException:
            for created in self._created:
                found = _left(created, "the rehearsal was stopped")
                self.show(Item(f"Rehearsal, remove the test {created.noun}", findings=(found,)))
            raise

    def _step(self, name: str, step: Callable[[], str]) -> bool:
        """Take a step and show how it ended. Returns whether the next can be taken."""
        began, found = self.clock(), None
        try:
            text = step()
        except Failed as error:
            text, found = "", error.found
        except PartnerStackError as error:
            text, found = "", finding("rehearsal-failed", step=name, reason=_reason(error))
        findings = (found,) if found else ()
        self.show(Item(f"Rehearsal, {name}", text, findings, seconds=self.clock() - began))
        return found is None

    def _find_partner(self) -> str:
        until = self.clock() + SHOWN_WITHIN
        while True:
            try:
                partner = self.client.partnerships.get(TEST_PARTNER)
            except NotFound:
                raise Failed(finding("test-partner-missing", partner=TEST_PARTNER)) from None
            except RequestError as error:
                self._pause(error, until)
            else:
                return f"{partner.partner_key or TEST_PARTNER} is there."

    def _remove_left(self) -> str:
        """Best effort: PartnerStack may not list removed objects as such, or refuse the filter."""
        try:
            page = self.client.customers.list(partner_key=TEST_PARTNER)
        except PartnerStackError:
            return "Not looked for: the list cannot be filtered by partner."
        before = datetime.fromtimestamp(self.clock(), timezone.utc) - LEFT_AFTER
        left = [
            record.customer_key
            for record in page.records
            if record.customer_key.startswith(PREFIX) and not record.archived
            if record.created_at is not None and record.created_at < before
        ]
        removed = sum(self._is_removed(key) for key in left)
        return f"Removed {removed}." if removed else "Nothing was left."

    def _is_removed(self, key: str) -> bool:
        with suppress(PartnerStackError):
            self.client.transactions.delete(_transaction_key(key))
        try:
            self.client.customers.delete(key)
        except PartnerStackError:
            return False
        return True

    def _create_customer(self) -> str:
        created = Created("customer", [self.key, self._email], self.client.customers.delete)
        record = self._create(
            created,
            lambda: self.client.customers.create(
                customer_key=self.key, email=self._email, name="partnerstack_doctor", partner_key=TEST_PARTNER
            ),
            self._find_customer,
        )
        self._check_mode(record)
        return f"{self.key}, of {TEST_PARTNER}."

    def _create_transaction(self) -> str:
        key = _transaction_key(self.key)
        created = Created("transaction", [key], self.client.transactions.delete)
        record = self._create(
            created,
            lambda: self.client.transactions.create(
                key=key, amount=AMOUNT, currency=CURRENCY, customer_external_key=self.key
            ),
            self._find_transaction,
        )
        self._check_mode(record)
        return f"{key}, {AMOUNT} {CURRENCY} in minor units."

    def _read_customer(self) -> str:
        record = self._wait_for(self._find_customer, "customer")
        self._check_mode(record)
        _check(record, customer_key=self.key, email=self._email, partner_key=TEST_PARTNER)
        return "Found by its key, as it was sent."

    def _read_transaction(self) -> str:
        record = self._wait_for(self._find_transaction, "transaction")
        self._check_mode(record)
        _check(record, amount=AMOUNT, currency=CURRENCY)
        return "Found in the list of its time, as it was sent."

    @property
    def _email(self) -> str:
        return f"{self.key}@example.com"

    def _find_customer(self) -> Any:
        return find_customer(self.client, {"customer_key": self.key}, self._search())

    def _find_transaction(self) -> Any:
        """As a message in doubt is looked up, by the time of this machine."""
        return find_transaction(self.client, {"key": _transaction_key(self.key)}, self._search())

    def _search(self) -> Search:
        now = datetime.fromtimestamp(self.clock(), timezone.utc)
        return Search(now - timedelta(seconds=2 * SHOWN_WITHIN), now, before_request=lambda: None)

    def _create(self, created: Created, send: Callable[[], Any], find: Callable[[], Any]) -> Any:
        """The created object. What PartnerStack may have created is removed at the end."""
        until = self.clock() + SHOWN_WITHIN
        while True:
            # Before the request, because the process may be stopped while it waits for the answer.
            self._created.append(created)
            try:
                record = send()
            except RequestError as error:
                if error.in_doubt:
                    return self._wait_for(find, created.noun, because=error)
                self._created.remove(created)
                self._pause(error, until)
            else:
                created.keys.append(record.key)
                return record

    def _wait_for(self, find: Callable[[], Any], noun: str, because: object = None) -> Any:
        """The object as PartnerStack shows it, which may take a while."""
        until, problem = self.clock() + SHOWN_WITHIN, because
        while True:
            try:
                if (record := find()) is not None:
                    return record
            except RequestError as error:
                if not error.retryable:
                    raise
                problem = error
            if self.clock() + PAUSE > until:
                raise Failed(finding("rehearsal-not-shown", noun=noun, reason=_reason(problem)))
            self.sleep(PAUSE)

    def _pause(self, error: RequestError, until: float, *, is_shown_late: bool = False) -> None:
        """Wait before another attempt. Raises the error if there can be none."""
        seconds = getattr(error, "retry_after", None) or PAUSE
        is_final = not error.retryable and not (is_shown_late and isinstance(error, NotFound))
        if is_final or self.clock() + seconds > until:
            raise error
        self.sleep(seconds)

    def _remove(self, created: Created) -> str:
        """
        Remove an object by any of its keys.

        "Not found" is only trusted after an attempt that may have removed it: PartnerStack may show an object
        later than it is created.
        """
        until, may_be_gone = self.clock() + REMOVED_WITHIN, False
        problem: RequestError
        while True:
            for key in created.keys:
                try:
                    created.remove(key)
                except NotFound as error:
                    problem = error
                except RequestError as error:
                    problem, may_be_gone = error, may_be_gone or error.in_doubt
                    break
                else:
                    return "Removed."
            if may_be_gone and isinstance(problem, NotFound):
                return "Removed."
            try:
                self._pause(problem, until, is_shown_late=True)
            except RequestError as error:
                raise Failed(_left(created, _reason(error))) from None

    def _check_mode(self, record: Any) -> None:
        if record.test is False:
            raise Failed(finding("mode-mismatch", seen=Mode.PRODUCTION.value))


def _transaction_key(customer_key: str) -> str:
    return f"{customer_key}-payment"


def _check(record: Any, **sent: Any) -> None:
    for name, value in sent.items():
        if getattr(record, name) != value:
            reason = f"its {name} is {getattr(record, name)!r} instead of {value!r}"
            raise Failed(finding("rehearsal-failed", step="compare what came back", reason=reason))


def _left(created: Created, reason: str) -> Finding:
    return finding("rehearsal-left", noun=created.noun, key=created.keys[0], reason=reason)


def _reason(error: object) -> str:
    return " ".join(str(error).split()).rstrip(".") if error else "PartnerStack does not have it"
