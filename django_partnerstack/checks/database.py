"""Checks of what the database contains, and of where routers write."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from django.core.checks import CheckMessage, Error, Warning
from django.db import DatabaseError, router, transaction

from .. import sources
from ..conf import conf
from ..identity.relabel import lost_labels
from ..models import CustomerIdentity, OutboxMessage, SyncState


def check_mode_of_data(*, databases: Iterable[str] | None = None, **kwargs: Any) -> Iterator[CheckMessage]:
    """A warning and not an error, because an error would stop ``migrate``, which runs this too."""
    alias = router.db_for_read(SyncState)
    if alias not in (databases or ()):
        return
    try:
        with transaction.atomic(using=alias):
            seen = SyncState.objects.using(alias).mode_mismatch(conf.mode)
    except DatabaseError:  # The table does not exist yet.
        return
    if seen is not None:
        yield Warning(
            f"PARTNERSTACK_MODE is {conf.mode}, but PartnerStack has returned only {seen} data.",
            hint=f"Set the {conf.mode} key pair, or set PARTNERSTACK_MODE to {seen.value!r}.",
            id="partnerstack.W004",
        )


def check_labels(*, databases: Iterable[str] | None = None, **kwargs: Any) -> Iterator[CheckMessage]:
    """A renamed model would be unknown customers to this app, without a partner."""
    alias = router.db_for_write(CustomerIdentity)
    if alias not in (databases or ()):
        return
    try:
        with transaction.atomic(using=alias):
            lost = lost_labels(alias)
    except DatabaseError:  # The table does not exist yet.
        return
    for label in lost:
        yield Warning(
            f"Customers of {label} were reported, but no model has this label and table any more.",
            hint=f"If the model was renamed or moved, run: manage.py partnerstack_relabel {label} NEW_LABEL",
            id="partnerstack.W011",
        )


def check_router(**kwargs: Any) -> Iterator[CheckMessage]:
    """A message must be written in the transaction of the object that it reports."""
    database = router.db_for_write(OutboxMessage)
    for model in {**sources.customers, **sources.transactions}:
        if not model._meta.abstract and router.db_for_write(model) != database:
            yield Error(
                f"{model._meta.label} is written to another database than this app's messages.",
                hint="Let the database router write both to the same database, or remove the source.",
                obj=model,
                id="partnerstack.E022",
            )
