"""
Naming a row of the site, however it was loaded.

A proxy and its model, a child and its parent, a deferred object, and a primary key that is given as another
type all name the same row. The same primary key in two databases or in two schemas names two rows.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, NamedTuple

from django.apps import apps
from django.db import DEFAULT_DB_ALIAS, connections, models, router

from .. import sources
from ..conf import conf
from ..exceptions import SourceError
from .primary_keys import pk_of, root_of


@dataclass(frozen=True)
class HostObject:
    """A row of the site, as ``CustomerIdentity`` names it. ``label``: the model's, such as "shop.account"."""

    table: str
    namespace: str
    pk: str
    label: str

    @property
    def row(self) -> tuple[str, str, str]:
        return self.table, self.namespace, self.pk

    def __str__(self) -> str:
        where = f" in {self.namespace.strip(':')}" if self.namespace else ""
        return f"{self.label} {self.pk}{where}"


def host_object(instance: models.Model) -> HostObject:
    """
    The row of a saved object.

    Raises SourceError for an object that was not saved, and for a primary key of more than 255 characters.
    """
    check_object(instance)
    root = root_of(type(instance))
    return HostObject(root._meta.db_table, _namespace(instance), pk_of(instance), root._meta.label_lower)


def check_object(instance: object) -> None:
    """Raise SourceError for what is no object of the site."""
    if not isinstance(instance, models.Model):
        raise SourceError(f"A customer is a saved object of the site; not {instance!r:.100}. Save it first.")


class Reference(NamedTuple):
    """How messages refer to an object of the site: "app.model", primary key, database and schema."""

    label: str = ""
    pk: str = ""
    namespace: str = ""

    @property
    def row(self) -> tuple[str, str, str]:
        """The table, namespace and primary key: the same for a proxy and its model."""
        return table_of(self.label), self.namespace, self.pk

    def __str__(self) -> str:
        where = f" in {self.namespace.strip(':')}" if self.namespace else ""
        return f"{self.label} {self.pk}{where}".strip()


NO_OBJECT = Reference()


def reference(instance: models.Model | None) -> Reference:
    """The reference to a saved object; an empty one if there is no object."""
    if instance is None:
        return NO_OBJECT
    return Reference(instance._meta.label_lower, pk_of(instance), _namespace(instance))


def table_of(label: str) -> str:
    """The table of the topmost parent of a model; its label if it was removed."""
    try:
        model: type[models.Model] = apps.get_model(label)
        return root_of(model)._meta.db_table
    except (LookupError, ValueError):
        return label


def _namespace(instance: models.Model) -> str:
    return namespace_of(type(instance), router.db_for_write(type(instance), instance=instance))


def namespace_of(model: type[models.Model], alias: str) -> str:
    """Where the objects of a model are that a connection writes: its database and current schema."""
    schema = getattr(connections[alias], "schema_name", None) or ""
    if schema and not _is_in_schemas(model._meta.app_label):
        schema = ""
    if schema == getattr(conf.django, "PUBLIC_SCHEMA_NAME", "public"):
        schema = ""
    database = "" if alias == DEFAULT_DB_ALIAS else alias
    return f"{database}:{schema}" if schema else database


def _is_in_schemas(app_label: str) -> bool:
    """Whether each schema has tables of the app. django-tenants lists such apps."""
    tenant_apps = getattr(conf.django, "TENANT_APPS", None)
    config = apps.get_app_config(app_label)
    path = f"{type(config).__module__}.{type(config).__qualname__}"
    return tenant_apps is None or config.name in tenant_apps or path in tenant_apps


@contextmanager
def loaded(host: HostObject, model: type[models.Model]) -> Iterator[models.Model | None]:
    """The object as an instance of ``model``, from the primary database; None if there is no such row."""
    alias, _, schema = host.namespace.partition(":")
    alias = alias or router.db_for_write(model)
    fields = root_of(model)._meta.pk_fields
    texts = json.loads(host.pk) if len(fields) > 1 else [host.pk]
    wanted = {field.name: text for field, text in zip(fields, texts, strict=True)}
    with _schema(alias, schema):
        yield model._base_manager.using(alias).filter(**wanted).first()


@contextmanager
def _schema(alias: str, schema: str) -> Iterator[None]:
    connection: Any = connections[alias]
    if not schema or not hasattr(connection, "set_schema") or connection.schema_name == schema:
        yield
        return
    before = connection.tenant
    connection.set_schema(schema)
    try:
        yield
    finally:
        connection.set_tenant(before)


def has_model(host: HostObject) -> bool:
    """Whether a model of the site has the table of the row."""
    return any(model._meta.db_table == host.table for model in apps.get_models())


def models_with_source(host: HostObject) -> Iterator[type[models.Model]]:
    """The models with a source of customers that the row can be loaded as, its own model first."""
    tables = [model for model in apps.get_models() if model._meta.db_table == host.table]
    own = [model for model in tables if model._meta.label_lower == host.label]
    for model in dict.fromkeys((*own, *tables)):
        if sources.find(sources.customers, model) is not None:
            yield model
    for model in sources.customers:
        if not model._meta.abstract and root_of(model)._meta.db_table == host.table and model not in tables:
            yield model
