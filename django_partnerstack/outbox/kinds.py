"""Of which kind the objects are that come back from pushes: test data, or production data."""

from __future__ import annotations

import logging
from datetime import datetime
from typing import Any

from django.db import Error, router

from ..models import MIRRORS, SyncState
from .operations import OPERATIONS

logger = logging.getLogger(__name__)

RESOURCES = {model: name for name, model in MIRRORS.items()}


class Kinds:
    """Notes each kind of each resource once for a worker; checks and the admin hold it against the mode."""

    def __init__(self, mode: str) -> None:
        self.mode = mode
        self._noted: set[tuple[str, bool]] = set()

    def note(self, operation: str, record: Any, now: datetime) -> None:
        """Note what an operation gave back. A failure is logged, and the next that comes back is noted."""
        test = getattr(record, "test", None)
        model = OPERATIONS[operation].model if operation in OPERATIONS else None
        if model is None or test is None or (RESOURCES[model], test) in self._noted:
            return
        try:
            states = SyncState.objects.using(router.db_for_write(SyncState))
            states.note(self.mode, RESOURCES[model], test=test, now=now)
        except Error as error:
            logger.warning("The kind of data that came back could not be noted: %s", error)
        else:
            self._noted.add((RESOURCES[model], test))
