"""The customer key of an object of the site: recorded with its first message, and read ever after."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from django.db import connections, models, router
from django.utils.module_loading import import_string

from .. import sources
from ..client.validation import LONGEST_KEY, path_segment
from ..conf import Conf, conf
from ..exceptions import InvalidArgument, SourceError
from ..models import CustomerIdentity, OutboxMessage
from ..models.bulk import Condition
from .references import HostObject, check_object, host_object
from .tombstones import CUSTOMER_KEY, forgotten_among, is_personal

#: The value of PARTNERSTACK_CUSTOMER_KEY that stands for default keys.
DEFAULT_KEY = Conf.customer_key.default


@dataclass(frozen=True)
class Identity:
    """
    An object of the site and its customer key.

    ``host``: None for a customer that no object was given for. ``recorded``: False if the key is only what
    ``record`` would record. ``last_reported``: the fingerprint of the last queued data. ``inserted_with``:
    the fingerprint with which the row was inserted just now; None if it was there before. ``forgotten``:
    nothing is reported about the customer.
    """

    mode: str
    using: str
    host: HostObject | None
    key: str
    recorded: bool = False
    last_reported: str = ""
    inserted_with: str | None = None
    has_default_key: bool = False
    forgotten: bool = False


def database_of(instance: models.Model) -> str:
    """
    Where the router writes messages about an object: by default where the object is, never a replica.

    Raises SourceError for what is no object of the site.
    """
    check_object(instance)
    return router.db_for_write(OutboxMessage, instance=instance)


def customer_key(instance: models.Model) -> str:
    """
    The key of a customer at PartnerStack in the site's mode: the recorded key, or the key that it will get.

    Raises SourceError for an object that was not saved, and for a key that cannot be used.
    """
    host_object(instance)
    return identity_of(instance, mode=conf.mode, using=database_of(instance)).key


def identity_of(instance: models.Model, *, mode: str, using: str, new: bool = False) -> Identity:
    """
    The recorded identity of an object; if there is none, the identity that ``record`` would record.

    ``new``: the object was just created, so nothing is read.

    Raises SourceError for an object that was not saved, and for a key that cannot be used.
    """
    host = host_object(instance)
    return (None if new else read_row(mode, using, host)) or _with_tombstones(
        [_unrecorded(instance, host, mode, using)]
    )[0]


def expected_identity(instance: models.Model, *, mode: str, using: str) -> Identity | None:
    """
    The identity that an object with a default key has; reads nothing. None if the site chooses keys itself,
    and for a primary key that is an e-mail address: the customer may be forgotten.

    It may have another: whoever uses this key verifies it with ``has_key``.

    Raises SourceError for an object that was not saved.
    """
    if conf.customer_key != DEFAULT_KEY:
        return None
    expected = _unrecorded(instance, host_object(instance), mode, using)
    return None if is_personal(expected.key) else expected


def has_key(identity: Identity) -> Condition:
    """The condition that the object of an identity is recorded with its key, and was not forgotten."""
    host, quote = host_of(identity), connections[identity.using].ops.quote_name
    found = f"{_statement(identity.using)} AND {quote('key')} = %s AND {quote('forgotten_at')} IS NULL"
    return Condition(f"EXISTS ({found})", (identity.mode, host.table, host.namespace, host.pk, identity.key))


def identities_of(instances: Iterable[models.Model], *, mode: str, using: str) -> dict[HostObject, Identity]:
    """As ``identity_of`` for many objects, with one query for each of their models."""
    hosts = {host_object(instance): instance for instance in instances}
    found: dict[HostObject, Identity] = {}
    for table, namespace in {(host.table, host.namespace) for host in hosts}:
        pks = [host.pk for host in hosts if (host.table, host.namespace) == (table, namespace)]
        rows = CustomerIdentity.objects.using(using).filter(mode=mode, table=table, namespace=namespace)
        for row in rows.filter(object_pk__in=pks):
            found[_host(row)] = _recorded(row, using)
    # A label changes when a model is renamed, so the label is not compared.
    known = {(host.table, host.namespace, host.pk): identity for host, identity in found.items()}
    all_ = [
        known.get((host.table, host.namespace, host.pk)) or _unrecorded(instance, host, mode, using)
        for host, instance in hosts.items()
    ]
    return dict(zip(hosts, _with_tombstones(all_), strict=True))


def _with_tombstones(identities: list[Identity]) -> list[Identity]:
    """
    The identities, with those that are not recorded because they were forgotten marked as such.

    Only a key that contains an e-mail address was replaced in its row; every other key is still recorded.
    """
    lost = {each.key for each in identities if not each.recorded and is_personal(each.key)}
    if not lost:
        return identities
    mode, using = identities[0].mode, identities[0].using
    found = forgotten_among(((CUSTOMER_KEY, key) for key in lost), mode=mode, using=using)
    return [
        replace(each, key=found[CUSTOMER_KEY, each.key].customer_key, recorded=True, forgotten=True)
        if not each.recorded and (CUSTOMER_KEY, each.key) in found
        else each
        for each in identities
    ]


def identity_of_key(key: str, *, mode: str, using: str) -> Identity | None:
    """The recorded identity with a customer key."""
    row = CustomerIdentity.objects.using(using).filter(mode=mode, key=key).first()
    return _recorded(row, using) if row is not None else None


def read_row(mode: str, using: str, host: HostObject, *, lock: str = "") -> Identity | None:
    """With SQL of its own, because Django takes longer to compile it than a database to run it."""
    with connections[using].cursor() as cursor:
        cursor.execute(f"{_statement(using)}{lock}", (mode, host.table, host.namespace, host.pk))
        found = cursor.fetchone()
    if found is None:
        return None
    key, told, forgotten_at = found
    is_forgotten = forgotten_at is not None
    return Identity(mode, using, host, key, recorded=True, last_reported=told, forgotten=is_forgotten)


@cache
def _statement(using: str) -> str:
    quote = connections[using].ops.quote_name
    names = ("mode", "table", "namespace", "object_pk")
    wanted = " AND ".join(f"{quote(name)} = %s" for name in names)
    columns = ", ".join(map(quote, ("key", "last_reported", "forgotten_at")))
    # Names come from the model, values are parameters.
    return f"SELECT {columns} FROM {quote(CustomerIdentity._meta.db_table)} WHERE {wanted}"  # noqa: S608


def _host(row: CustomerIdentity) -> HostObject:
    return HostObject(row.table, row.namespace, row.object_pk, row.model)


def host_of(identity: Identity) -> HostObject:
    return identity.host or HostObject("", "", identity.key, "")


def _recorded(row: CustomerIdentity, using: str) -> Identity:
    host = _host(row) if row.table else None
    return Identity(
        row.mode,
        using,
        host,
        row.key,
        recorded=True,
        last_reported=row.last_reported,
        forgotten=row.forgotten_at is not None,
    )


def _unrecorded(instance: models.Model, host: HostObject, mode: str, using: str) -> Identity:
    chosen: Any = conf.customer_key
    is_default = chosen == DEFAULT_KEY
    key = _default_key(host) if is_default else sources.call(import_string(chosen), instance)
    try:
        # Updates and look-ups name the customer in a path.
        path_segment("a customer key", key)
    except InvalidArgument as error:
        problem = f"PARTNERSTACK_CUSTOMER_KEY returned {key!r} for {sources.label(instance)}: {error}"
        raise SourceError(problem) from None
    return Identity(mode, using, host, key, has_default_key=is_default)


def _default_key(host: HostObject) -> str:
    place = f"{host.namespace.replace(':', '.').strip('.')}." if host.namespace else ""
    key = f"{conf.key_prefix}{place}{host.label.replace('.', '-')}-{host.pk}"
    return key if len(key) <= LONGEST_KEY else f"{key[: LONGEST_KEY - 17]}-{digest(host)}"


def digest(host: HostObject | None) -> str:
    named = "\0".join((host.table, host.namespace, host.pk)) if host else ""
    return hashlib.sha256(named.encode()).hexdigest()[:16]
