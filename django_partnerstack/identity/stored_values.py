"""What the database stores and returns for the values that an object of the site has in memory."""

from __future__ import annotations

from collections.abc import Callable
from copy import copy
from datetime import datetime
from decimal import Decimal
from typing import Any, TypeVar

from django.core.exceptions import ValidationError
from django.db import models, router
from django.db.backends.utils import format_number
from django.utils.timezone import make_aware

from .. import sources
from ..conf import conf

T = TypeVar("T")


def ask(source: Callable[[Any], T], instance: models.Model) -> T:
    """
    What a source returns for an object, with the values that the database stores.

    Raises what the source raises; see ``sources.call``.
    """
    return sources.call(source, _as_stored(instance))


#: Fields whose value in memory may differ from what the database stores and later returns.
CONVERTED = (
    models.BooleanField,
    models.CharField,
    models.DateField,
    models.DecimalField,
    models.ForeignKey,
    models.IntegerField,
    models.TextField,
    models.UUIDField,
)


def _as_stored(instance: models.Model) -> models.Model:
    """
    The object with the values that the database stores.

    ``Payment(total=49)`` keeps an int until it is read again, and an int would count as minor units; a float
    has more decimals than the column. A value that the database computes is read back.
    """
    changed = {}
    for field in instance._meta.concrete_fields:
        given = instance.__dict__.get(field.attname)
        if hasattr(given, "resolve_expression"):
            using = router.db_for_write(type(instance), instance=instance)
            return type(instance)._base_manager.using(using).get(pk=instance.pk)
        if given is not None and isinstance(field, CONVERTED):
            stored = stored_value(field, given)
            if type(stored) is not type(given) or stored != given:
                changed[field.attname] = stored
    if changed:
        instance = copy(instance)
        instance.__dict__.update(changed)
    return instance


def stored_value(field: Any, given: Any) -> Any:
    """
    The value that the database stores and returns for what an object has in memory.

    A value that the field cannot convert stays as it is: the source may not use it.
    """
    while field.remote_field:
        field = field.target_field
    if given is None or hasattr(given, "resolve_expression"):
        return given
    try:
        value = field.to_python(given)
        if isinstance(field, models.DecimalField):
            value = Decimal(format_number(value, field.max_digits, field.decimal_places) or "NaN")
        elif isinstance(value, datetime) and value.tzinfo is None and conf.django.USE_TZ:
            value = make_aware(value)
    except (ArithmeticError, TypeError, ValueError, ValidationError):
        return given
    return value
