"""What the sandbox has to know of a resource to list, read, create, update and remove its objects."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from .behaviour import Behaviour
from .collection import Row
from .schema import Schema
from .world import Call, World

Predicate = Callable[[Row], bool]
#: Makes a predicate of the values that a query parameter has.
Filter = Callable[[World, list[str]], Predicate]

CREATED = ("created_at", "-created_at")
CREATED_OR_UPDATED = (*CREATED, "updated_at", "-updated_at")


@dataclass(frozen=True, kw_only=True)
class Resource:
    """One resource. The defaults are those of a resource that can only be listed and read."""

    name: str
    prefix: str
    #: The object as the vendor's API shows it.
    render: Callable[[World, Row, Behaviour], dict[str, Any]]
    #: The stored fields of object number n of the seeds; also what ``Sandbox.create`` begins with.
    sample: Callable[[World, int], Row]
    #: The stored fields of a new object from the body of a request; raises Refusal if a rule is broken.
    #: None if the request is answered like any other, but nothing is made.
    new: Callable[[Call], Row | None] | None = None
    #: The changed fields of an object from the body of an update.
    changed: Callable[[Call, Row], Row] | None = None
    #: What has to be counted whenever there is one more object, also a seeded one.
    on_add: Callable[[World, Row], None] | None = None
    #: What else happens when a request has created or removed an object.
    after_create: Callable[[Call, Row], None] | None = None
    after_remove: Callable[[Call, Row], None] | None = None
    creating: Schema = field(default_factory=dict)
    updating: Schema = field(default_factory=dict)
    #: The field with the caller's own key, which effects are counted by; whether it can be used once only.
    natural: str = "key"
    natural_is_unique: Callable[[Behaviour], bool] = lambda behaviour: True
    #: What must be unique besides, while ``Behaviour.unique_emails`` is on.
    has_unique_email: bool = False
    #: Fields other than ``key`` that can name an object.
    named_by: tuple[str, ...] = ()
    #: Which of them do so in a path that reads, and in one that writes.
    read_by: Callable[[Behaviour], tuple[str, ...]] = lambda behaviour: ("key",)
    write_by: Callable[[Behaviour], tuple[str, ...]] = lambda behaviour: ("key",)
    #: What a list leaves out unless asked for it, apart from archived objects.
    listed: Callable[[Call], Predicate] | None = None
    filters: Mapping[str, Filter] = field(default_factory=dict)
    #: Timestamps that ``min_…`` and ``max_…`` work on.
    bounds: tuple[str, ...] = ("created", "updated")
    orders: tuple[str, ...] = CREATED_OR_UPDATED
    #: Whether ``total`` has been seen in this list.
    has_total: bool = False
    #: Whether DELETE is documented as "delete" and not as "archive".
    deletable: bool = False
    #: Stored fields that the PartnerStack side can set besides those of the bodies.
    settable: tuple[str, ...] = ()
    #: Fields of the bodies that are not stored, so that nobody can set them.
    sent_only: tuple[str, ...] = ()

    @property
    def path(self) -> str:
        return self.name.replace("_", "-")

    @property
    def noun(self) -> str:
        return self.name.rstrip("s").replace("_", " ").capitalize()

    def natural_key(self, row: Row) -> str:
        return str(row.get(self.natural) or row["key"])

    def may_set(self) -> set[str]:
        """Names of the fields that ``Sandbox.create`` and ``Sandbox.change`` take."""
        bodies = {*self.creating.get("properties", ()), *self.updating.get("properties", ())}
        always = {"key", "created_at", "updated_at", "archived"}
        unstored = {"meta", "field_data", "fields", *self.sent_only}
        return bodies - unstored | always | set(self.settable)
