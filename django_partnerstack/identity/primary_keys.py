"""The primary key of an object as text, in the form in which the database has it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime, timezone
from functools import cache
from types import SimpleNamespace
from typing import Any

from django.db import connections, models, router

from ..exceptions import SourceError
from .stored_values import stored_value

#: As long as the column.
LONGEST_PK = 255

#: The attribute of an object's state with its primary key in memory and the one in the database.
IN_DATABASE = "partnerstack_pk"


@cache
def root_of(model: type[models.Model]) -> type[models.Model]:
    """The model whose table all objects of this model have a row in: the topmost of its parents."""
    concrete: Any = model._meta.concrete_model or model
    while parents := [each for each in concrete.__mro__ if concrete._meta.parents.get(each) is not None]:
        concrete = parents[0]
    return concrete


def pk_of(instance: models.Model) -> str:
    """
    The primary key as text, in the form in which the database has it. A JSON list if it is composite.

    A text can name a row whose key differs in case or in blanks at its end: it depends on the collation. Such
    keys are read, once for each object, unless ``remember_loaded`` was called.

    Raises SourceError for an object that was not saved.
    """
    fields = root_of(type(instance))._meta.pk_fields
    values = [getattr(instance, field.attname) for field in fields]
    if values == [None] and not isinstance(instance.pk, tuple):
        values = [instance.pk]  # A child that was given only the pointer to its parent.
    if None not in values and _has_spellings(instance, fields):
        values = _read(instance, fields, values)
    texts = [text for field, value in zip(fields, values, strict=True) if (text := _text(field, value))]
    if len(texts) != len(fields):
        raise SourceError(f"A customer is a saved object of the site; not {instance!r}. Save it first.")
    pk = texts[0] if len(texts) == 1 else json.dumps(texts)
    if len(pk) > LONGEST_PK:
        raise SourceError(f"The primary key of {instance._meta.label} has more than {LONGEST_PK} characters.")
    return pk


def remember_loaded(instances: Iterable[models.Model]) -> None:
    """These objects were inserted or read just now, so their primary keys are those of the database."""
    for instance in instances:
        values = [getattr(instance, field.attname) for field in root_of(type(instance))._meta.pk_fields]
        setattr(instance._state, IN_DATABASE, (values, values))


def _has_spellings(instance: models.Model, fields: Any) -> bool:
    """Whether several texts may be the primary key of one row."""
    for field in map(_target, fields):
        if isinstance(field, (models.CharField, models.TextField)):
            alias = router.db_for_write(type(instance), instance=instance)
            if field.db_collation or connections[alias].vendor == "mysql":
                return True
    return False


def _read(instance: models.Model, fields: Any, values: list[Any]) -> list[Any]:
    """The primary key that the database has; that in memory if there is no such row."""
    known = getattr(instance._state, IN_DATABASE, None)
    if known is None or known[0] != values:
        names = [field.attname for field in fields]
        alias = router.db_for_write(type(instance), instance=instance)
        rows = root_of(type(instance))._base_manager.using(alias).order_by()
        found = rows.filter(**dict(zip(names, values, strict=True))).values_list(*names)[:1]
        known = values, next((list(row) for row in found), values)
        setattr(instance._state, IN_DATABASE, known)
    return list(known[1])


def _target(field: Any) -> Any:
    while field.remote_field:
        field = field.target_field
    return field


def _text(field: Any, value: Any) -> str | None:
    field = _target(field)
    value = stored_value(field, value)
    if value is None or hasattr(value, "resolve_expression"):
        return None
    if isinstance(value, str):
        return str.__str__(value)  # Not the name of an enum.
    if isinstance(value, datetime) and value.tzinfo is not None:
        value = value.astimezone(timezone.utc)
    return field.value_to_string(SimpleNamespace(**{field.attname: value}))
