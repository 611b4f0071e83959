"""What an event is about, as PartnerStack has it now: read by key, or synced if there is no read by key."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta
from typing import Any

from django.core.exceptions import FieldDoesNotExist
from django.db import DataError, IntegrityError, router

from ..client import Client, Record
from ..exceptions import NotFound, RecordError
from ..mapping import announce, store
from ..models import Customer, Mirror, SyncState, WebhookEvent
from ..resources import RESOURCES, Resource
from ..sync import pull
from ..sync.lease import states
from ..sync.refresh import keys_of, mark_missing, read_object
from ..throttle.clock import Clock
from .normalise import RESOURCE_OF, Reference, normalise

#: How long after an event "not found" may mean "not yet": PartnerStack shows new objects minutes later.
LAG = timedelta(minutes=15)

#: The least time between two syncs of a resource that events cause.
BETWEEN_SYNCS = timedelta(minutes=1)

MISSING = "PartnerStack has no such object: the row is marked as missing."
NOT_FOUND = "PartnerStack has no such object."


class NotYet(Exception):
    """The object cannot be read yet. ``until``: when to try again; None: after the usual delay."""

    def __init__(self, message: str, until: datetime | None = None) -> None:
        super().__init__(message)
        self.until = until


class Subject:
    """The events that one read or one sync settles."""

    def __init__(self, kind: str, references: tuple[Reference, ...]) -> None:
        self.kind = kind
        self.references = references
        self.events: list[WebhookEvent] = []
        #: What is worth knowing about the result.
        self.note = ""

    @property
    def is_readable(self) -> bool:
        """Whether the API returns the object by a key. Applications and agreements are in no list."""
        if not self.kind:
            return False
        resource = RESOURCES[RESOURCE_OF[self.kind]]
        # Not for applications and agreements, which only change an object of the resource.
        is_object = resource.name.removesuffix("s") == self.kind
        return is_object and resource.readable and bool(self.references)

    @property
    def first_received_at(self) -> datetime:
        return min(event.first_received_at for event in self.events)

    @property
    def says_deleted(self) -> bool:
        """Whether the last event is about the end of the object, so that "not found" means gone."""
        last = max(self.events, key=lambda event: event.last_received_at)
        return last.event.endswith((".deleted", ".archived"))


class Subjects:
    """The subjects of claimed events, in the order of their first events."""

    def __init__(self, events: Iterable[WebhookEvent], mode: str) -> None:
        self._by_key: dict[Any, Subject] = {}
        for event in events:
            subject = Subject(event.kind, references_of(event))
            key: Any = event.pk
            if subject.is_readable:
                # Two events may name the same object by different keys.
                row = find_row(event, mode)
                key = (event.kind, row.key if row is not None else subject.references[0])
            elif event.kind:
                key = RESOURCE_OF[event.kind]
            self._by_key.setdefault(key, subject).events.append(event)

    def __iter__(self) -> Iterator[Subject]:
        return iter(self._by_key.values())


def references_of(event: WebhookEvent) -> tuple[Reference, ...]:
    """What identifies the object of an event; only its key once the body was forgotten."""
    if event.body is not None:
        return normalise(event.body).references
    is_own = event.kind == "customer" and not event.key.startswith("cus_")
    return (("customer_key" if is_own else "key", event.key),) if event.key else ()


def find_row(event: WebhookEvent, mode: str) -> Mirror | None:
    """The row of an event's object in the mirror."""
    return _row(RESOURCES[RESOURCE_OF[event.kind]], mode, references_of(event))


def _row(resource: Resource, mode: str, references: Iterable[Reference]) -> Mirror | None:
    rows = resource.model._base_manager.using(router.db_for_write(resource.model)).filter(mode=mode)
    for column, value in references:
        try:
            resource.model._meta.get_field(column)
        except FieldDoesNotExist:
            continue
        found: Mirror | None = rows.filter(**{column: value}).order_by("archived", "-pk").first()
        if found is not None:
            return found
    return None


def read(
    subject: Subject,
    resource: Resource,
    client: Client,
    mode: str,
    clock: Clock,
    acquire_slot: Callable[[], None],
) -> Mirror | None:
    """
    Read an object again and store it, unless the row is newer. Returns its row.

    A row whose object PartnerStack does not have is marked as missing. Raises ``NotYet`` if the object may be
    too new to be read, and the client's errors.
    """
    row = _row(resource, mode, subject.references)
    try:
        record = _record(subject, resource, row, client, acquire_slot)
    except NotFound:
        return _not_found(subject, resource, row, clock)
    try:
        difference = store(resource.model, [record], mode=mode, now=clock.now())
    except (DataError, IntegrityError) as error:
        raise RecordError(f"{record.key}: the database refuses it: {error}") from error
    announce(resource.model, difference, mode=mode)
    return _row(resource, mode, [("key", record.key)])


def _record(
    subject: Subject,
    resource: Resource,
    row: Mirror | None,
    client: Client,
    acquire_slot: Callable[[], None],
) -> Record:
    """Tries what the event says first, then what the row says. Raises NotFound with the last of them."""
    keys = [value for _, value in subject.references]
    own = next((value for column, value in subject.references if column == "key"), "")
    if row is not None and (isinstance(row, Customer) or not own):
        keys += keys_of(row)
    missing: NotFound | None = None
    for key in dict.fromkeys(keys):
        acquire_slot()
        try:
            record = read_object(client, resource, [key])
        except NotFound as error:
            missing = error
            continue
        # A key of the site, or an address, may have passed to another object.
        if not own or record.key == own:
            return record
    raise missing or RecordError(f"{own}: PartnerStack returned another object.")


def _not_found(subject: Subject, resource: Resource, row: Mirror | None, clock: Clock) -> Mirror | None:
    now = clock.now()
    is_new = row is None or (row.remote_created_at is not None and row.remote_created_at > now - LAG)
    if is_new and not subject.says_deleted and subject.first_received_at > now - LAG:
        raise NotYet(NOT_FOUND)
    if row is None:
        subject.note = NOT_FOUND
        return None
    subject.note = MISSING
    mark_missing(resource.model, [row.pk], now=now)
    row.refresh_from_db(using=router.db_for_write(resource.model))
    return row


def sync_resource(
    subject: Subject,
    resource: Resource,
    client: Client,
    mode: str,
    clock: Clock,
    acquire_slot: Callable[[], None],
) -> None:
    """
    Sync the resource of events whose objects cannot be read alone, at most once a minute.

    Raises ``NotYet`` if the last sync was too recent, ``SyncLocked``, and the client's errors.
    """
    state: SyncState | None = states().filter(mode=mode, resource=resource.name).first()
    completed = state.completed_at if state is not None else None
    if completed is not None and clock.now() - completed < BETWEEN_SYNCS:
        raise NotYet(f"{resource.name} were synced less than a minute ago.", completed + BETWEEN_SYNCS)
    acquire_slot()
    pull(resource.name, client=client, mode=mode, now=clock.now, on_page=lambda pulled: acquire_slot())
