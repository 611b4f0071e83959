"""Changes that other people and programs make at PartnerStack, in its dashboard or through its API."""

from __future__ import annotations

from typing import Any

from .api.operations import add
from .api.resource import Resource
from .resources import RESOURCES
from .state import SandboxState
from .storage.database import Database
from .storage.table import Row

Fields = dict[str, Any]


class Dashboard(SandboxState):
    """
    Creates, changes, removes and lists objects, in the sandbox's own mode unless ``mode`` is given.

    Raises LookupError for an unknown object, and ValueError for an unknown resource, mode or field. Nothing
    here counts as an effect.
    """

    def change(self, resource: str, key: str, /, *, mode: str | None = None, **fields: Any) -> Fields:
        """Change fields of an object and its ``updated_at``; returns the object."""
        with self.lock:
            declared, db = self._find(resource, mode)
            _check(declared, fields)
            row = _row(declared, db, key)
            db[resource].change(row, {"updated_at": self.call(db.mode).now, **fields})
            return declared.show(db, row, self.behaviour)

    def create(self, resource: str, /, *, mode: str | None = None, **fields: Any) -> Fields:
        """Create an object, with sample values for all other fields; returns the object."""
        with self.lock:
            declared, db = self._find(resource, mode)
            _check(declared, fields)
            number = len(db[resource]) + len(db[resource].removed)
            row = add(self.call(db.mode), declared, {**declared.seed_row(db, number), **fields})
            return declared.show(db, row, self.behaviour)

    def remove(self, resource: str, key: str, /, *, mode: str | None = None) -> None:
        """Remove an object for good, without archiving it."""
        with self.lock:
            declared, db = self._find(resource, mode)
            db[resource].remove(_row(declared, db, key))

    def objects(
        self, resource: str, mode: str | None = None, *, include_archived: bool = False
    ) -> list[Fields]:
        """All objects of a resource as the API shows them, newest first."""
        with self.lock:
            declared, db = self._find(resource, mode)
            return [
                declared.show(db, row, self.behaviour)
                for row in reversed(db[resource].orders["created_at"])
                if include_archived or not row.get("archived")
            ]

    def _find(self, name: str, mode: str | None) -> tuple[Resource, Database]:
        mode = mode or self.mode
        if name not in RESOURCES:
            raise ValueError(f"There is no resource {name!r}. Known: {', '.join(RESOURCES)}.")
        if mode not in self.databases:
            raise ValueError(f"mode must be test or production, not {mode!r}.")
        return RESOURCES[name], self.databases[mode]


def _check(resource: Resource, fields: Fields) -> None:
    known = resource.stored_fields()
    for name in fields:
        if name not in known:
            raise ValueError(f"{resource.name} have no field {name!r}. Known: {', '.join(sorted(known))}.")


def _row(resource: Resource, db: Database, key: str) -> Row:
    table = db[resource.name]
    for field in table.indexes:
        if row := table.find(field, key):
            return row
    raise LookupError(f"There is no {resource.noun.lower()} {key!r} in {db.mode} mode.")
