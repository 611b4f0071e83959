"""
Where personal data are stored, and what becomes of them when a customer is forgotten.

A new table with personal data needs an entry in ``PLACES``. Everything here is safe to repeat, and works in
chunks, so that an interrupted run goes on when it is called again.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import reduce
from operator import or_
from typing import Any

from django.apps import apps
from django.db import models, router, transaction
from django.db.models import Q, QuerySet, TextField
from django.db.models.functions import Cast

from ..identity.forgotten import REASON, is_personal
from ..mapping.forgotten import without_person
from ..models import (
    Action,
    Attempt,
    Attribution,
    Customer,
    Deal,
    Lead,
    Mirror,
    OutboxMessage,
    ReconciliationRun,
    ReportedKey,
    Reward,
    SourceFailure,
    State,
    SyncState,
    ThrottleState,
    Transaction,
    WebhookEvent,
    Worker,
)
from ..outbox.queue.forgetting.erasure import erased, erased_attempt, operation_of
from .person import Person

#: Rows that are written in one transaction.
CHUNK = 500

#: Rows of a person, of a table.
Rows = Callable[[Person], QuerySet[Any]]
#: The new values of columns of a row. None: the row is deleted.
Change = Callable[[Any, Person], dict[str, Any] | None]


@dataclass(frozen=True)
class Place:
    rows: Rows
    change: Change

    def erase(self, person: Person) -> tuple[str, int]:
        """Erase what the place has of a person. Returns the name of its rows, and how many were changed."""
        rows = self.rows(person)
        changed, last = 0, 0
        while chunk := list(rows.filter(pk__gt=last).order_by("pk")[:CHUNK]):
            last = chunk[-1].pk
            changed += self._erase(chunk, rows, person)
        return str(rows.model._meta.verbose_name_plural), changed

    def _erase(self, chunk: list[Any], rows: QuerySet[Any], person: Person) -> int:
        names: set[str] = set()
        written, deleted = [], []
        for row in chunk:
            columns = self.change(row, person)
            if columns is None:
                deleted.append(row.pk)
                continue
            different = {name: value for name, value in columns.items() if getattr(row, name) != value}
            for name, value in different.items():
                setattr(row, name, value)
            names |= different.keys()
            written += [row] if different else []
        manager = rows.model._base_manager.using(rows.db)
        with transaction.atomic(rows.db):
            if written:
                manager.bulk_update(written, sorted(names), batch_size=100)
            if deleted:
                manager.filter(pk__in=deleted).delete()
        return len(written) + len(deleted)


def of_mode(model: type[models.Model], person: Person) -> QuerySet[Any]:
    return model._base_manager.using(router.db_for_write(model)).filter(mode=person.mode)


def naming(column: str, texts: Iterable[str]) -> Q:
    """The condition that a column, which may be JSON, contains one of the texts; see ``with_text``."""
    written = {each for text in texts for each in (text, json.dumps(text)[1:-1])}
    conditions = [Q(**{f"{column}_text__icontains": text}) for text in sorted(written)]
    return reduce(or_, conditions, Q(pk=None))


def with_text(rows: QuerySet[Any], *columns: str) -> QuerySet[Any]:
    return rows.annotate(**{f"{column}_text": Cast(column, TextField()) for column in columns})


def mirrored(model: type[Mirror], condition: Callable[[Person], Q], *blank: str) -> Place:
    """A mirror. ``blank``: its columns with personal data."""

    def change(row: Any, person: Person) -> dict[str, Any]:
        columns: dict[str, Any] = dict.fromkeys(blank, "")
        for name in ("customer_key", "customer_external_key"):
            if is_personal(getattr(row, name, "")):
                columns[name] = person.known_as
        if is_personal(getattr(row, "external_key", "")):
            columns["external_key"] = ""
        raw = row.raw if isinstance(row.raw, dict) else {}
        columns["raw"] = without_person(model, raw, person.known_as, keep_payments=person.keep_payments)
        return columns

    def rows(person: Person) -> QuerySet[Any]:
        found = of_mode(model, person)
        by_text = model in (Deal, Lead)
        return (with_text(found, "raw") if by_text else found).filter(condition(person))

    return Place(rows, change)


def is_customer(person: Person) -> Q:
    return Q(key__in=person.remote_keys)


def has_customer(person: Person) -> Q:
    return Q(customer_key__in=person.remote_keys)


def is_payment(person: Person) -> Q:
    return has_customer(person) | Q(customer_external_key__in=person.keys)


def has_contact(person: Person) -> Q:
    """Leads and deals may name their customer only by an address."""
    return naming("raw", person.emails)


def is_deal(person: Person) -> Q:
    return has_contact(person) | Q(customer_key__in=[*person.remote_keys, *person.keys])


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
    """Rows about the site's objects of a person, or whose text names the person."""
    condition = naming(column, person.emails)
    for each in person.objects:
        condition |= Q(source=each.label, source_pk=each.pk, namespace=each.namespace)
    return rows.filter(condition)


def note_keys(person: Person) -> QuerySet[Any]:
    """A note's key contains its reason."""
    keys = notes(person).exclude(dedupe_key=None).values_list("dedupe_key", flat=True)
    rows = ReportedKey.objects.using(person.using).filter(mode=person.mode)
    return rows.filter(dedupe_key__in=list(keys))


def delete(row: Any, person: Person) -> None:
    return None


def reported_keys(person: Person) -> QuerySet[Any]:
    return ReportedKey.objects.using(person.using).filter(mode=person.mode, customer_key__in=person.keys)


def change_reported_key(row: ReportedKey, person: Person) -> dict[str, Any]:
    return {
        "customer_key": person.known_as,
        "source_pk": "" if is_personal(row.source_pk) else row.source_pk,
        # A hash of the content.
        "fingerprint": row.fingerprint if person.keep_payments else "",
    }


def attributions(person: Person) -> QuerySet[Any]:
    return of_mode(Attribution, person).filter(customer_key__in=person.keys)


def change_attribution(row: Attribution, person: Person) -> dict[str, Any]:
    """The partner stays: it is the partner's claim, and no datum of the visitor."""
    return {
        "customer_key": person.known_as,
        "source_pk": "" if is_personal(row.source_pk) else row.source_pk,
        "click_id": "",
        "unread_key": "",
        "landing_path": "",
        "earlier_clicks": [],
        "visit": {},
        "reason": "",
    }


def webhook_events(person: Person) -> QuerySet[Any]:
    rows = with_text(of_mode(WebhookEvent, person), "body")
    # A body has a key of the customer as a complete JSON text; an address may be a part of another text.
    keys = [f'"{key}"' for key in (*person.keys, *person.remote_keys)]
    known = Q(key__in=[*person.keys, *person.remote_keys, *person.emails])
    return rows.filter(known | naming("body", [*keys, *person.emails]))


def change_webhook_event(row: WebhookEvent, person: Person) -> dict[str, Any]:
    return {"body": None, "key": "" if is_personal(row.key) else row.key, "reason": ""}


def failures(person: Person) -> QuerySet[Any]:
    return of_objects(with_text(of_mode(SourceFailure, person), "error"), person, "error")


def texts(model: type[models.Model], column: str, empty: Any) -> Place:
    """Errors of the app itself, which may quote an answer of PartnerStack."""

    def rows(person: Person) -> QuerySet[Any]:
        found = with_text(of_mode(model, person), column)
        return found.filter(naming(column, person.emails))

    return Place(rows, lambda row, person: {column: empty})


def reconciliations(person: Person) -> QuerySet[Any]:
    rows = with_text(of_mode(ReconciliationRun, person), "result")
    return rows.filter(naming("result", person.emails))


def change_reconciliation(row: ReconciliationRun, person: Person) -> dict[str, Any]:
    """The differences stay, without the address in a key or a reason."""
    text = json.dumps(row.result)
    for email in person.emails:
        text = re.sub(re.escape(json.dumps(email)[1:-1]), person.known_as, text, flags=re.IGNORECASE)
    return {"result": json.loads(text)}


#: In this order: notes need their keys to be found.
PLACES: tuple[Place, ...] = (
    mirrored(Customer, is_customer, "email", "name", "provider_key"),
    mirrored(Transaction, is_payment),
    mirrored(Reward, has_customer),
    mirrored(Action, has_customer),
    mirrored(Deal, is_deal, "account_name"),
    mirrored(Lead, has_contact),
    Place(attempts, change_attempt),
    Place(messages, change_message),
    Place(note_keys, delete),
    Place(notes, delete),
    Place(reported_keys, change_reported_key),
    Place(attributions, change_attribution),
    Place(webhook_events, change_webhook_event),
    Place(failures, delete),
    Place(reconciliations, change_reconciliation),
    texts(SyncState, "error", ""),
    texts(ThrottleState, "pause_reason", ""),
    texts(Worker, "jobs", {}),
)


def admin_log(person: Person) -> Place | None:
    """Django's log of what users did with the pages of this app. None without ``django.contrib.admin``."""
    if not apps.is_installed("django.contrib.admin"):
        return None
    from django.contrib.admin.models import LogEntry

    named = [text for text in (*person.emails, *person.texts) if person.is_named_in(text)]

    def rows(person: Person) -> QuerySet[Any]:
        found = LogEntry._base_manager.using(router.db_for_write(LogEntry))
        found = with_text(
            found.filter(content_type__app_label="partnerstack"), "object_repr", "change_message"
        )
        return found.filter(naming("object_repr", named) | naming("change_message", named))

    def change(row: Any, person: Person) -> dict[str, Any]:
        is_named = person.is_named_in(row.object_repr)
        return {
            "object_repr": person.known_as[:200] if is_named else row.object_repr,
            "change_message": "" if person.is_named_in(row.change_message) else row.change_message,
        }

    return Place(rows, change)


def erase(person: Person) -> dict[str, int]:
    """Erase what all tables of this app have of a person. Returns how many rows, by their names."""
    counts: dict[str, int] = {}
    log = admin_log(person)
    for place in (*PLACES, *([log] if log else [])):
        name, number = place.erase(person)
        counts[name] = counts.get(name, 0) + number
    return {name: number for name, number in counts.items() if number}
