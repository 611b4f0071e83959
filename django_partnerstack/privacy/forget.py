"""Forgetting a customer: a tombstone first, then PartnerStack is told, then the tables are erased."""

from __future__ import annotations

import secrets
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import datetime

from django.apps import apps
from django.db import connections, models, router, transaction

from ..conf import conf
from ..identity.customers import identity_of_key
from ..identity.references import HostObject, Reference
from ..identity.tombstones import (
    CUSTOMER_KEY,
    EMAIL,
    REMOTE_KEY,
    digest,
    forgotten_among,
    is_personal,
    new_salt,
    salt_of,
)
from ..models import CustomerIdentity, ForgottenCustomer, OutboxLane, OutboxMessage, State, Tombstone
from ..models.mirror import Mode
from ..outbox.queue.new_message import customer_lane
from ..outbox.queue.sequencing.sequence import sequence_new_messages
from ..throttle.throttle import site_throttle
from .person import PSEUDONYM, Person, read_person
from .places.all_places import erase
from .telling import Told, tell


@dataclass(frozen=True)
class Erasure:
    """
    What forgetting a customer did, or would do (``dry_run``).

    ``customer_key``: the key under which the rest of it is stored. ``erased``: the numbers of changed rows,
    by the name of the table. ``told``: what happened to messages. ``conflict``: PartnerStack has somebody
    else under the key, who was not touched.
    """

    customer_key: str
    mode: str
    erased: dict[str, int] = field(default_factory=dict)
    told: Told = field(default_factory=Told)
    kept_payments: bool = False
    conflict: bool = False
    dry_run: bool = False


def forget(
    customer_key: str,
    *,
    keep_payments: bool = False,
    dry_run: bool = False,
    using: str | None = None,
    instance: models.Model | None = None,
    host: HostObject | None = None,
) -> Erasure:
    """
    Erase the personal data of a customer in all tables of this app, and let PartnerStack anonymise and
    archive it.

    ``keep_payments``: keep the texts of payments, such as their metadata. ``dry_run``: do it, count, and roll
    it back. ``instance`` and ``host``: the site's object, if the caller has it.

    Rows of the other mode are erased too. Safe to repeat, and goes on where it was interrupted: the tombstone
    is committed first. In a transaction of the caller, everything is part of it.
    """
    using = using or router.db_for_write(OutboxMessage)
    if not dry_run:
        return _forget(customer_key, keep_payments, using, instance, host)
    with ExitStack() as transactions:
        aliases = {using, *map(router.db_for_write, apps.get_models())} & set(connections)
        for alias in sorted(aliases):
            transactions.enter_context(transaction.atomic(alias))
        erasure = _forget(customer_key, keep_payments, using, instance, host)
        for alias in aliases:
            transaction.set_rollback(True, alias)
    return replace(erasure, dry_run=True)


def _forget(
    customer_key: str,
    keep_payments: bool,
    using: str,
    instance: models.Model | None,
    host: HostObject | None,
) -> Erasure:
    found = None
    for mode in sorted(Mode.values, key=lambda mode: mode == conf.mode):
        person = Person(mode, using, customer_key, customer_key, keep_payments)
        if mode != conf.mode and not _is_anywhere(person):
            continue
        with site_throttle(mode).locked(durable=False) as row:
            buried = _bury(person, row.now, instance, host)
            told = tell(person, now=row.now, queue=mode == conf.mode)
        counts = erase(person)
        if buried.finished_at is None:
            ForgottenCustomer.objects.using(using).filter(pk=buried.pk).update(finished_at=row.now)
        if found is not None:
            counts = {
                name: counts.get(name, 0) + found.erased.get(name, 0) for name in {**found.erased, **counts}
            }
        found = Erasure(person.known_as, mode, counts, told, keep_payments, person.conflict)
    assert found is not None  # noqa: S101 - the site's own mode is always among them.
    return found


def forgotten_keys(text: str, *, mode: str) -> list[str]:
    """The keys of forgotten customers with this customer key, key of PartnerStack or e-mail address."""
    wanted = [(kind, text) for kind in (CUSTOMER_KEY, REMOTE_KEY, EMAIL)]
    using = router.db_for_write(ForgottenCustomer)
    found = forgotten_among(wanted, mode=mode, using=using).values()
    own = ForgottenCustomer.objects.using(using).filter(mode=mode, customer_key=text)
    return list(
        dict.fromkeys([*(each.customer_key for each in found), *own.values_list("customer_key", flat=True)])
    )


def is_forgotten(customer_key: str) -> bool:
    """Whether the erasure of a customer of the site's mode was completed."""
    rows = ForgottenCustomer.objects.using(router.db_for_write(ForgottenCustomer))
    return rows.filter(mode=conf.mode, customer_key=customer_key).exclude(finished_at=None).exists()


def _is_anywhere(person: Person) -> bool:
    """Whether anything in this mode is about the customer."""
    read_person(person)
    identity = identity_of_key(person.customer_key, mode=person.mode, using=person.using)
    return bool(identity or person.remote_keys or person.objects)


def _bury(
    person: Person, now: datetime, instance: models.Model | None, host: HostObject | None
) -> ForgottenCustomer:
    """Let nothing about the customer in again, from the end of this transaction on."""
    known = forgotten_among([(CUSTOMER_KEY, person.customer_key)], mode=person.mode, using=person.using)
    if buried := known.get((CUSTOMER_KEY, person.customer_key)):
        person.known_as = buried.customer_key
    elif is_personal(person.customer_key):
        person.known_as = f"{PSEUDONYM}{secrets.token_hex(8)}"
    _mark_identity(person, now, host)
    lane = customer_lane(person.customer_key)
    queued = OutboxMessage.objects.using(person.using).filter(mode=person.mode, lane=lane, state=State.QUEUED)
    while queued.exists():
        sequence_new_messages(person.mode, person.using, now, lane=lane)
    read_person(person, instance=instance)
    row = _tombstones(person, now)
    if person.known_as != person.customer_key:
        for model, column in ((OutboxMessage, "lane"), (OutboxLane, "key")):
            rows = model._base_manager.using(person.using).filter(**{"mode": person.mode, column: lane})
            rows.update(**{column: customer_lane(person.known_as)})
    return row


def _tombstones(person: Person, now: datetime) -> ForgottenCustomer:
    rows = ForgottenCustomer.objects.using(person.using)
    row, _ = rows.get_or_create(
        mode=person.mode,
        customer_key=person.known_as,
        defaults={
            "salt": salt_of(person.mode, person.using) or new_salt(),
            "forgotten_at": now,
            "kept_payments": person.keep_payments,
        },
    )
    if row.kept_payments and not person.keep_payments:
        row.kept_payments, row.finished_at = False, None
        row.save(using=person.using, update_fields=["kept_payments", "finished_at"])
    digests = {digest(row.salt, identifier) for identifier in person.identifiers}
    # The key that is left is found, too.
    digests.add(digest(row.salt, (CUSTOMER_KEY, person.known_as)))
    stones = Tombstone.objects.using(person.using)
    stones.bulk_create(
        [Tombstone(customer=row, mode=person.mode, digest=each) for each in sorted(digests)],
        ignore_conflicts=True,
    )
    return row


def _mark_identity(person: Person, now: datetime, host: HostObject | None) -> None:
    """The object's row says that the customer is forgotten. A row without an object keeps the key taken."""
    rows = CustomerIdentity.objects.using(person.using).filter(mode=person.mode)
    row = rows.filter(key__in=person.keys).first()
    if row is None:
        place = host or HostObject("", "", person.known_as, "")
        row = CustomerIdentity(
            mode=person.mode,
            table=place.table,
            namespace=place.namespace,
            object_pk=place.pk,
            model=place.label,
        )
    if row.table:
        person.objects.add(Reference(row.model, row.object_pk, row.namespace))
    row.key, row.last_reported = person.known_as, ""
    row.object_pk = person.known_as if is_personal(row.object_pk) else row.object_pk
    row.forgotten_at = row.forgotten_at or now
    row.save(using=person.using)
