"""
Conflicts: a payment that differs from what was reported under its key is shown by one failed message.

A payment has one such message at most, and so has an object that uses the key of another object. A newer one
replaces it, and it is withdrawn when nothing is in conflict any more. It is never sent itself.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from django.db import transaction
from django.utils import timezone

from ...identity.references import Reference
from ...models import LaneStatus, OutboxLane, OutboxMessage, ReportedKey, State, Transaction
from .reported_keys import is_other_object, is_payment, key_columns, source_of

REPLACED = "Replaced by newer data."

#: Why a conflict was withdrawn.
AGREES = "Withdrawn: the payment agrees with what was reported."
MENDED = "Withdrawn: the object does not use the key of another object any more."


#: The columns of a message that was not queued, and the reason.
Conflict = tuple[dict[str, Any], str]


def show_conflicts(conflicts: Sequence[Conflict], *, mode: str, using: str) -> None:
    """
    Leave one failed message for each payment that is in conflict, instead of an earlier one.

    Safe to repeat. The number of queries depends only on how many conflicts are new.
    """
    rows = [(row, reason) for row, reason in conflicts if is_payment(row)]
    if not rows:
        return
    with transaction.atomic(using):
        # Of two objects in conflict with one payment, the last one is shown.
        places = {place.pk: (place, row, reason) for place, row, reason in _places(rows, mode, using)}
        shown = OutboxMessage.objects.using(using).in_bulk(
            [place.conflict for place, _, _ in places.values() if place.conflict is not None]
        )
        new, replaced = [], []
        for place, row, reason in places.values():
            older = shown.get(place.conflict or 0)
            if older is not None and _is_same(older, row, reason):
                continue
            if older is not None:
                replaced.append(older.pk)
            new.append((place, _failed(row, reason)))
        _withdraw(replaced, REPLACED, using)
        lanes = {message.lane for _, message in new}
        OutboxLane.objects.using(using).bulk_create(
            [OutboxLane(mode=mode, key=lane, status=LaneStatus.NEW) for lane in sorted(lanes)],
            ignore_conflicts=True,
        )
        for place, message in new:
            message.save(using=using, force_insert=True)
            place.conflict = message.pk
        ReportedKey.objects.using(using).bulk_update([place for place, _ in new], ["conflict"])


def withdraw_conflicts(agreeing: Collection[ReportedKey], using: str) -> None:
    """The objects of these payments have the content again that was reported."""
    if agreeing:
        _withdraw([found.conflict for found in agreeing], AGREES, using)
        keys = ReportedKey.objects.using(using).filter(pk__in=[found.pk for found in agreeing])
        keys.update(conflict=None)


def withdraw_collisions(reported: Mapping[Reference, int | None], *, mode: str, using: str) -> None:
    """
    These objects do not use the key of another object any more.

    ``reported``: the message that reports each of them; None if its source was asked just now. A collision
    that is newer than the message stays. Takes one query if there was no collision.
    """
    newest = {collision_key(each): pk for each, pk in reported.items() if each.label}
    if newest:
        notes = ReportedKey.objects.using(using).filter(mode=mode, dedupe_key__in=newest)
        limits = [(note, newest[note.dedupe_key]) for note in notes]
        end_collisions([note for note, pk in limits if pk is None or (note.conflict or 0) < pk], using)


def end_collisions(notes: Collection[ReportedKey], using: str) -> None:
    """As ``withdraw_collisions``, for their notes."""
    if notes:
        _withdraw([note.conflict for note in notes], MENDED, using)
        ReportedKey.objects.using(using).filter(pk__in=[note.pk for note in notes]).delete()


def collision_key(source: Reference) -> str:
    """The dedupe key of the note that an object uses the key of another object."""
    return f"collision:{hashlib.sha256(json.dumps(source.row).encode()).hexdigest()}"


def _places(
    conflicts: list[Conflict], mode: str, using: str
) -> Iterator[tuple[ReportedKey, dict[str, Any], str]]:
    """
    The conflicts with the keys that remember them, locked: that of the payment, or a note of the object.

    The key of a payment that PartnerStack has by other means is inserted with what the mirror shows, so that
    the payment can be corrected like one that this site has reported.
    """
    keys = ReportedKey.objects.using(using).filter(mode=mode)
    wanted = [row["dedupe_key"] for row, _ in conflicts]
    known = set(keys.filter(dedupe_key__in=wanted).values_list("dedupe_key", flat=True))
    if mirrored := [row for row, _ in conflicts if row["dedupe_key"] not in known]:
        keys.bulk_create(_mirrored(mirrored, mode, using), ignore_conflicts=True)
    held = {each.dedupe_key: each for each in keys.select_for_update().filter(dedupe_key__in=wanted)}
    collisions = []
    for row, reason in conflicts:
        if (found := held.get(row["dedupe_key"])) is None:
            continue
        if is_other_object(found, key_columns(row)):
            collisions.append((collision_key(source_of(row)), row, reason))
        else:
            yield found, row, reason
    if collisions:
        names = [note for note, _, _ in collisions]
        keys.bulk_create([ReportedKey(mode=mode, dedupe_key=note) for note in names], ignore_conflicts=True)
        notes = {each.dedupe_key: each for each in keys.select_for_update().filter(dedupe_key__in=names)}
        for note, row, reason in collisions:
            yield notes[note], row, reason


def _mirrored(rows: list[dict[str, Any]], mode: str, using: str) -> list[ReportedKey]:
    payments = Transaction.objects.using(using).filter(mode=mode, key__in=[row["subject"] for row in rows])
    records = {each.key: each for each in payments}
    found = []
    for row in rows:
        if (record := records.get(row["subject"])) is not None:
            columns = key_columns(row)
            columns["customer_key"] = record.customer_external_key or columns["customer_key"]
            columns["currency"] = record.currency or columns["currency"]
            if record.amount is not None:
                columns["amount"] = record.amount
            columns |= {"fingerprint": "", "reported_at": timezone.now()}
            found.append(ReportedKey(**columns))
    return found


def _failed(row: dict[str, Any], reason: str) -> OutboxMessage:
    """It does not hold its key, so it has no part in what is reported under it."""
    now = timezone.now()
    failed = {"state": State.FAILED, "reason": reason, "finished_at": now, "dedupe_key": None, "subject": ""}
    return OutboxMessage(**{**row, **failed})


def _is_same(shown: OutboxMessage, row: dict[str, Any], reason: str) -> bool:
    """Whether the conflict is shown already, or an operator has cancelled it."""
    if shown.fingerprint != row["fingerprint"] or shown.lane != row["lane"]:
        return False
    return shown.state != State.FAILED or shown.reason == reason


def _withdraw(pks: Collection[int | None], reason: str, using: str) -> None:
    if wanted := [pk for pk in pks if pk is not None]:
        rows = OutboxMessage.objects.using(using).filter(pk__in=wanted, state=State.FAILED, dedupe_key=None)
        rows.update(state=State.CANCELLED, reason=reason, finished_at=timezone.now())
