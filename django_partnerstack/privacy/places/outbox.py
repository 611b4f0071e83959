"""The outbox: messages, attempts, notes, errors of sources and keys that were used."""

from __future__ import annotations

from typing import Any

from django.db.models import Q, QuerySet

from ...identity.addresses import replaced
from ...identity.references import Reference
from ...identity.tombstones import REASON, is_personal
from ...models import Attempt, OutboxMessage, ReportedKey, SourceFailure, State
from ...outbox.queue.forgetting.erasure import erased, erased_attempt, is_personal_key, operation_of
from ..person import Person
from .place import Change, Place, of_mode, with_address, with_text


def messages(person: Person) -> QuerySet[Any]:
    rows = OutboxMessage.objects.using(person.using)
    return rows.filter(mode=person.mode, lane__in=person.lanes)


def change_message(row: OutboxMessage, person: Person) -> dict[str, Any]:
    operation = operation_of(row)
    if operation is not None and operation.is_anonymous:
        return {}
    columns = erased(row, person.known_as, keep_payments=person.keep_payments)
    if not row.forgotten:
        columns["reason"] = REASON if row.state in (State.CANCELLED, State.SKIPPED) else ""
        columns["look_up"] = None
    return columns


def reasons(person: Person) -> QuerySet[Any]:
    """Messages about other customers, for whom PartnerStack may have named this one as the cause."""
    rows = OutboxMessage.objects.using(person.using).filter(mode=person.mode).exclude(reason="")
    return with_text(rows.exclude(lane__in=person.lanes), "reason").filter(with_address("reason", person))


def change_reason(row: OutboxMessage, person: Person) -> dict[str, Any]:
    return {"reason": replaced(person.emails, row.reason, person.known_as)}


def attempts(person: Person) -> QuerySet[Any]:
    rows = Attempt.objects.using(person.using)
    return rows.filter(mode=person.mode, message__lane__in=person.lanes)


def change_attempt(row: Attempt, person: Person) -> dict[str, Any]:
    return {**erased_attempt({"request_line": row.request_line, "answer": row.answer}), "error": ""}


def notes(person: Person) -> QuerySet[Any]:
    """Notes why an object is not reported; they have no lane."""
    rows = OutboxMessage.objects.using(person.using).filter(mode=person.mode, lane="", state=State.SKIPPED)
    return of_objects(with_text(rows, "reason"), person, "reason").exclude(reason=REASON)


def of_objects(rows: QuerySet[Any], person: Person, column: str) -> QuerySet[Any]:
    """Rows about the site's objects of a person, or whose text may name the person."""
    condition = with_address(column, person)
    for each in person.objects:
        condition |= Q(source=each.label, source_pk=each.pk, namespace=each.namespace)
    return rows.filter(condition)


def delete_of_object(column: str) -> Change:
    """Delete the row, unless its text only looks as if it named the person."""

    def change(row: Any, person: Person) -> dict[str, Any] | None:
        return None if _is_about(row, person, column) else {}

    return change


def _is_about(row: Any, person: Person, column: str) -> bool:
    is_object = Reference(row.source, row.source_pk, row.namespace) in person.objects
    return is_object or person.has_address_in(getattr(row, column))


def note_keys(person: Person) -> QuerySet[Any]:
    """A note's key contains its reason."""
    rows = notes(person).exclude(dedupe_key=None)
    keys = [row.dedupe_key for row in rows if _is_about(row, person, "reason")]
    return ReportedKey.objects.using(person.using).filter(mode=person.mode, dedupe_key__in=keys)


def delete(row: Any, person: Person) -> None:
    return None


def reported_keys(person: Person) -> QuerySet[Any]:
    """Those of its payments, and those that contain its address."""
    rows = with_text(ReportedKey.objects.using(person.using).filter(mode=person.mode), "dedupe_key")
    return rows.filter(Q(customer_key__in=person.keys) | with_address("dedupe_key", person))


def event_keys(person: Person) -> QuerySet[Any]:
    """Keys of its events that contain an address. Nothing is reported about it that could need them."""
    keys = messages(person).filter(dedupe_key__contains="@").values_list("dedupe_key", flat=True)
    rows = ReportedKey.objects.using(person.using).filter(mode=person.mode)
    return rows.filter(dedupe_key__in=[key for key in keys if is_personal_key(key)])


def change_reported_key(row: ReportedKey, person: Person) -> dict[str, Any] | None:
    is_named = person.has_address_in(row.dedupe_key)
    if is_named and is_personal_key(row.dedupe_key):
        return None
    if row.customer_key not in person.keys:
        return {}
    return {
        "customer_key": person.known_as,
        "source_pk": "" if is_personal(row.source_pk) else row.source_pk,
        # A hash of the content.
        "fingerprint": row.fingerprint if person.keep_payments else "",
    }


def failures(person: Person) -> QuerySet[Any]:
    return of_objects(with_text(of_mode(SourceFailure, person), "error"), person, "error")


#: In this order: notes and events need their keys to be found.
OUTBOX: tuple[Place, ...] = (
    Place(attempts, change_attempt),
    Place(event_keys, delete),
    Place(messages, change_message),
    Place(reasons, change_reason),
    Place(note_keys, delete),
    Place(notes, delete_of_object("reason")),
    Place(reported_keys, change_reported_key),
    Place(failures, delete_of_object("error")),
)
