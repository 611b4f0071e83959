"""
Where personal data are stored, and what becomes of them when a customer is forgotten.

A new table with personal data needs an entry in ``PLACES``. Everything here is safe to repeat, and works in
chunks, so that an interrupted run goes on when it is called again.
"""

from __future__ import annotations

from functools import reduce
from itertools import chain
from operator import or_
from typing import Any

from django.apps import apps
from django.db import models, router
from django.db.models import Q, QuerySet

from ...identity.addresses import replaced
from ...identity.tombstones import is_personal
from ...models import (
    Attribution,
    ReconciliationRun,
    SyncState,
    ThrottleState,
    WebhookEvent,
    Worker,
)
from ...webhooks.forgotten_bodies import identifiers_in
from ..person import Person
from .mirrors import MIRRORS
from .outbox import OUTBOX
from .place import Place, of_mode, with_address, with_any, with_text


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


def landings(person: Person) -> QuerySet[Any]:
    """Visits of others, to pages whose path names this person."""
    rows = with_text(of_mode(Attribution, person), "landing_path", "earlier_clicks")
    return rows.filter(with_address("landing_path", person) | with_address("earlier_clicks", person))


def change_landing(row: Attribution, person: Person) -> dict[str, Any]:
    return {
        "landing_path": replaced(person.emails, row.landing_path, person.known_as),
        "earlier_clicks": replaced(person.emails, row.earlier_clicks, person.known_as),
    }


def webhook_events(person: Person) -> QuerySet[Any]:
    rows = with_text(of_mode(WebhookEvent, person), "body")
    # A body has a key of the customer as a complete JSON text; an address may be a part of another text.
    keys = [f'"{key}"' for key in (*person.keys, *person.remote_keys)]
    known = Q(key__in=[*person.keys, *person.remote_keys, *person.emails])
    return rows.filter(known | with_any("body", keys) | with_address("body", person))


def change_webhook_event(row: WebhookEvent, person: Person) -> dict[str, Any]:
    is_about = row.key in {*person.keys, *person.remote_keys} or person.has_address_in(row.key)
    if not (is_about or person.is_among(identifiers_in(row.body)) or person.has_address_in(row.body)):
        return {}
    return {"body": None, "key": "" if is_personal(row.key) else row.key, "reason": ""}


def texts(model: type[models.Model], column: str, empty: Any) -> Place:
    """Errors of the app itself, which may quote an answer of PartnerStack."""

    def rows(person: Person) -> QuerySet[Any]:
        return with_text(of_mode(model, person), column).filter(with_address(column, person))

    def change(row: Any, person: Person) -> dict[str, Any]:
        return {column: empty} if person.has_address_in(getattr(row, column)) else {}

    return Place(rows, change)


def reconciliations(person: Person) -> QuerySet[Any]:
    return with_text(of_mode(ReconciliationRun, person), "result").filter(with_address("result", person))


def change_reconciliation(row: ReconciliationRun, person: Person) -> dict[str, Any]:
    """The differences stay, without the address in a key or a reason."""
    return {"result": replaced(person.emails, row.result, person.known_as)}


PLACES: tuple[Place, ...] = (
    *MIRRORS,
    *OUTBOX,
    Place(attributions, change_attribution),
    Place(landings, change_landing),
    Place(webhook_events, change_webhook_event),
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

    texts = [text for text in person.texts if person.is_named_in(text)]

    def rows(person: Person) -> QuerySet[Any]:
        found = LogEntry._base_manager.using(router.db_for_write(LogEntry))
        found = with_text(
            found.filter(content_type__app_label="partnerstack"), "object_repr", "change_message"
        )
        columns = ("object_repr", "change_message")
        conditions = ((with_any(each, texts), with_address(each, person)) for each in columns)
        return found.filter(reduce(or_, chain.from_iterable(conditions)))

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
