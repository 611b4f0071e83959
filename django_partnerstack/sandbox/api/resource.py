"""The declaration of a resource, from which everything else about it follows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from ..behaviour.switches import Behaviour
from ..http.routing import Route
from ..storage.database import Database
from ..storage.table import Row
from .call import Call
from .schema import CUSTOM_FIELDS, Schema

Predicate = Callable[[Row], bool]
#: Converts the values of a query parameter to a predicate.
Filter = Callable[[Database, list[str]], Predicate]

CREATED = ("created_at", "-created_at")
CREATED_OR_UPDATED = (*CREATED, "updated_at", "-updated_at")


@dataclass(frozen=True, kw_only=True, eq=False)
class Resource:
    """
    One resource. The defaults are those of a resource that can only be listed.

    Once it is in ``sandbox.resources.RESOURCES``, the sandbox has its routes and filters, seeds it
    (``Sandbox(offers=5)``, ``partnerstack_sandbox --offers 5``) and shows it at ``/_control/objects/offers``.
    """

    #: Plural, in lower case, such as ``customers``.
    name: str
    #: What keys begin with, such as ``cus_``.
    key_prefix: str
    #: The object in the API, without ``key``, ``archived``, ``created_at`` and ``updated_at``.
    render: Callable[[Database, Row, Behaviour], dict[str, Any]]
    has_archived_field: Callable[[Behaviour], bool] = lambda behaviour: True

    #: The stored fields of seeded object number n; ``Sandbox.create`` uses them as defaults, too.
    seed_row: Callable[[Database, int], Row]
    #: Further rows that always exist. The seeded rows are the second argument.
    permanent_rows: Callable[[Database, list[Row]], Iterable[Row]] | None = None
    #: How many objects ``Sandbox`` seeds by default, and how many ``partnerstack_sandbox``.
    default_count: int = 0
    command_count: int = 0
    #: Whether the count applies to both modes instead of the sandbox's own.
    seeded_in_both_modes: bool = False

    #: Whether GET reads an object by its key.
    readable: bool = False
    #: POST: the stored fields of a new object. Raises Refusal if the body breaks a rule; None discards it.
    create: Callable[[Call], Row | None] | None = None
    create_schema: Schema = field(default_factory=dict)
    #: PATCH: the changed fields of an object.
    update: Callable[[Call, Row], Row] | None = None
    update_schema: Schema = field(default_factory=dict)
    #: DELETE, and what PartnerStack's documentation calls it.
    removable: Literal["archive", "delete"] | None = None
    #: Further routes.
    extra_routes: tuple[Route, ...] = ()
    #: Called when a request has created or removed an object.
    after_create: Callable[[Call, Row], None] | None = None
    after_remove: Callable[[Call, Row], None] | None = None

    #: The field with the caller's own key, by which effects are counted, and whether it must be unique.
    natural_key: str = "key"
    is_natural_key_unique: Callable[[Behaviour], bool] = lambda behaviour: True
    #: Whether e-mail addresses must be unique while ``Behaviour.unique_emails`` is on.
    has_unique_email: bool = False
    #: Fields other than ``key`` that identify an object.
    lookup_fields: tuple[str, ...] = ()
    #: Fields that identify an object in a path, and those in a path that writes if they are different.
    read_keys: Callable[[Behaviour], tuple[str, ...]] = lambda behaviour: ("key",)
    write_keys: Callable[[Behaviour], tuple[str, ...]] | None = None

    filters: Mapping[str, Filter] = field(default_factory=dict)
    #: What a list omits by default, in addition to archived objects.
    default_filter: Callable[[Call], Predicate] | None = None
    #: Timestamps that ``min_…`` and ``max_…`` filter.
    bounds: tuple[str, ...] = ("created", "updated")
    orders: tuple[str, ...] = CREATED_OR_UPDATED
    #: Whether vendors have seen ``total`` in this list.
    has_total: bool = False

    #: Further stored fields that ``Sandbox.create`` and ``Sandbox.change`` accept.
    extra_fields: tuple[str, ...] = ()
    #: Fields of the schemas that are not stored.
    unstored_fields: tuple[str, ...] = ()

    @property
    def path(self) -> str:
        return self.name.replace("_", "-")

    @property
    def noun(self) -> str:
        return self.name.removesuffix("s").replace("_", " ").capitalize()

    def show(self, db: Database, row: Row, behaviour: Behaviour) -> dict[str, Any]:
        """The object as the vendor's API shows it."""
        archived = {"archived": row.get("archived", False)} if self.has_archived_field(behaviour) else {}
        times = {name: row[name] for name in ("created_at", "updated_at")}
        return {"key": row["key"], **self.render(db, row, behaviour), **archived, **times}

    def keys_to_write(self, behaviour: Behaviour) -> tuple[str, ...]:
        return (self.write_keys or self.read_keys)(behaviour)

    def natural_key_of(self, row: Row) -> str:
        return str(row.get(self.natural_key) or row["key"])

    def stored_fields(self) -> set[str]:
        """Names of the fields that ``Sandbox.create`` and ``Sandbox.change`` accept."""
        sent = {*self.create_schema.get("properties", ()), *self.update_schema.get("properties", ())}
        always = {"key", "created_at", "updated_at", "archived"}
        return sent - set(CUSTOM_FIELDS) - set(self.unstored_fields) | always | set(self.extra_fields)


def parts(values: list[str]) -> list[str]:
    """The values of a query parameter: clients repeat it, or join values with commas."""
    return [part for value in values for part in value.split(",")]


def any_of(values: list[str]) -> set[str]:
    """The values of a query parameter that may contain commas themselves, whole and in parts."""
    return {*values, *parts(values)}


def equals(*names: str) -> Filter:
    """A filter for rows that have one of the given values in one of these fields."""

    def make(db: Database, values: list[str]) -> Predicate:
        wanted = any_of(values)
        return lambda row: any(row.get(name) in wanted for name in names)

    return make
