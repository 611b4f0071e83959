"""Recording the customer keys of the site's objects, and which data of the customers were queued last."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from django.db import connections
from django.db.models import Case, F, Value, When

from ..client.validation import LONGEST_KEY
from ..exceptions import KeyCollision
from ..models import CustomerIdentity
from ..models.bulk import Statement, insert, insert_once, insertion_once
from .customers import Identity, digest, host_of, identity_of_key, read_row


def record(identity: Identity, *, last_reported: str = "") -> Identity:
    """
    Record an identity, unless its object has one: then return that. Safe to repeat; call it in a savepoint.

    Raises KeyCollision if ``PARTNERSTACK_CUSTOMER_KEY`` gave the key to two objects. A default key that
    another object has, such as one of the former model of this name, is extended instead.
    """
    if _insert(identity, last_reported):
        return replace(identity, recorded=True, inserted_with=last_reported)
    if (recorded := _reread(identity)) is not None:
        return recorded
    holder = identity_of_key(identity.key, mode=identity.mode, using=identity.using)
    if holder is not None and holder.forgotten:
        return holder
    if identity.has_default_key:
        other = replace(identity, key=_extended(identity), has_default_key=False)
        return record(other, last_reported=last_reported)
    raise KeyCollision(
        f"{identity.host} cannot have the customer key {identity.key!r}: "
        f"{holder.host if holder and holder.host else 'another customer'} has it. "
        "Let PARTNERSTACK_CUSTOMER_KEY return another key for one of them."
    )


def record_all(contents: Mapping[Identity, str]) -> dict[Identity, Identity]:
    """
    Record the identities that are not, with the fingerprints of their data, with one INSERT.

    Returns each identity as ``record`` would. Raises IntegrityError if one of the keys or objects has been
    recorded meanwhile; nothing is recorded then. Call it in a savepoint.
    """
    new = [identity for identity in contents if not identity.recorded]
    if new:
        rows = [_columns(identity, contents[identity]) for identity in new]
        insert(CustomerIdentity, rows, using=new[0].using)
    inserted = {each: replace(each, recorded=True, inserted_with=contents[each]) for each in new}
    return {identity: inserted.get(identity, identity) for identity in contents}


def remember_content(identity: Identity, fingerprint: str) -> bool:
    """
    Remember the data that are being queued. Returns whether they differ from the last.

    The row stays locked until the caller's transaction ends, so that of two transactions the later one wins.
    """
    if identity.inserted_with is not None and identity.inserted_with == fingerprint:
        return True
    if identity.last_reported == fingerprint:
        return False
    rows = CustomerIdentity.objects.using(identity.using).filter(mode=identity.mode, key=identity.key)
    rows = rows.filter(forgotten_at=None)
    return rows.exclude(last_reported=fingerprint).update(last_reported=fingerprint) == 1


def remember_contents(contents: Mapping[Identity, str]) -> None:
    """As ``remember_content`` for many customers of one database and mode, with one statement."""
    changed = {
        identity.key: fingerprint
        for identity, fingerprint in contents.items()
        if fingerprint not in (identity.inserted_with, identity.last_reported)
    }
    if changed:
        first = next(iter(contents))
        rows = CustomerIdentity.objects.using(first.using).filter(mode=first.mode, key__in=changed)
        whens = [When(key=key, then=Value(fingerprint)) for key, fingerprint in changed.items()]
        rows.update(last_reported=Case(*whens, default=F("last_reported")))


def recording(identity: Identity, last_reported: str) -> Statement:
    """The statement that records a new identity, unless its object or its key has one."""
    return insertion_once(CustomerIdentity, _columns(identity, last_reported), using=identity.using)


def remembering(identity: Identity, fingerprint: str) -> Statement:
    """The statement of ``remember_content`` for a recorded identity."""
    quote = connections[identity.using].ops.quote_name
    last = quote("last_reported")
    return Statement(
        # Names come from the model, values are parameters.
        f"UPDATE {quote(CustomerIdentity._meta.db_table)} SET {last} = %s "  # noqa: S608
        f"WHERE {quote('mode')} = %s AND {quote('key')} = %s AND {last} <> %s "
        f"AND {quote('forgotten_at')} IS NULL",
        (fingerprint, identity.mode, identity.key, fingerprint),
    )


def _insert(identity: Identity, last_reported: str) -> bool:
    return insert_once(CustomerIdentity, _columns(identity, last_reported), using=identity.using)


def _columns(identity: Identity, last_reported: str) -> dict[str, str]:
    host = host_of(identity)
    return {
        "mode": identity.mode,
        "table": host.table,
        "namespace": host.namespace,
        "object_pk": host.pk,
        "model": host.label,
        "key": identity.key,
        "last_reported": last_reported,
    }


def _reread(identity: Identity) -> Identity | None:
    """The row that another process may have inserted just now."""
    # In a transaction with repeatable reads MySQL shows such a row only to a locking read.
    lock = " FOR UPDATE" if connections[identity.using].vendor == "mysql" else ""
    host = host_of(identity)
    return read_row(identity.mode, identity.using, host, lock=lock)


def _extended(identity: Identity) -> str:
    return f"{identity.key[: LONGEST_KEY - 17]}-{digest(identity.host)}"
