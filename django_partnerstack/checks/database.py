from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.core.checks import CheckMessage, Warning
from django.db import DatabaseError, router, transaction

from ..conf import conf
from ..models import SyncState


def check_mode_seen(*, databases: Iterable[str] | None = None, **kwargs: Any) -> list[CheckMessage]:
    """A warning and not an error: ``migrate`` runs this too, and must never be held up by it."""
    alias = router.db_for_read(SyncState)
    if alias not in (databases or ()):
        return []
    try:
        with transaction.atomic(using=alias):
            seen = SyncState.objects.using(alias).mode_mismatch(conf.mode)
    except DatabaseError:  # not migrated yet
        return []
    if seen is None:
        return []
    return [
        Warning(
            f"PARTNERSTACK_MODE says {conf.mode}, but all data that came back is {seen} data.",
            hint=f"Set the {conf.mode} key pair, or set PARTNERSTACK_MODE to {seen.value!r}.",
            id="partnerstack.W004",
        )
    ]
