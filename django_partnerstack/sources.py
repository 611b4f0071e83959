"""
What a site reports, as plain data.

A module ``partnerstack.py`` in any app of the site registers functions, the sources, that turn the site's own
objects into this data. It is discovered automatically, as ``admin.py`` is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, TypeVar

from django.db import models
from django.utils.module_loading import import_string

from .conf import conf
from .exceptions import SourceError

__all__ = [
    "CustomerData",
    "Skipped",
    "SourceError",
    "TransactionData",
    "customer",
    "customer_key",
    "transaction",
]

M = TypeVar("M", bound=models.Model)
R = TypeVar("R")


@dataclass(frozen=True, kw_only=True)
class CustomerData:
    """
    A customer as PartnerStack is to know it (docs.partnerstack.com/reference/post_v2-customers).

    ``partner_key``: the partner who referred it; empty for an organic customer, which is not reported.
    ``provider_key``: its key at the payment provider. ``meta``: custom fields by their API names.
    """

    email: str
    name: str = ""
    partner_key: str = ""
    provider_key: str = ""
    meta: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class TransactionData:
    """
    A payment as PartnerStack is to know it (docs.partnerstack.com/reference/post_v2-transactions).

    ``key``: the site's own, 4 to 240 characters, never used twice. ``customer``: the site's object that
    ``sources.customer`` is registered for. ``amount``: a ``Decimal`` in major units (``Decimal("49.00")``) or
    an ``int`` in minor units (``4900``). ``currency``: an ISO 4217 code. ``metadata``: at most 25 short
    texts. ``created_at``: when it was paid, with a time zone; None for now.
    """

    key: str
    customer: models.Model
    amount: Decimal | int
    currency: str
    product_key: str = ""
    category_key: str = ""
    metadata: Mapping[str, str] = field(default_factory=dict)
    created_at: datetime | None = None


@dataclass(frozen=True)
class Skipped:
    """Returned by a source instead of data: the object is not reported, for this reason."""

    reason: str


CustomerSource = Callable[[M], CustomerData | Skipped | None]
TransactionSource = Callable[[M], TransactionData | Skipped | None]

customers: dict[type[models.Model], CustomerSource[Any]] = {}
transactions: dict[type[models.Model], TransactionSource[Any]] = {}


def customer(model: type[M]) -> Callable[[CustomerSource[M]], CustomerSource[M]]:
    """
    Register a function that returns the ``CustomerData`` of an object, or ``Skipped(reason)`` or None.

    Raises SourceError if the model has another source.
    """
    return lambda source: _register(customers, model, source)


def transaction(model: type[M]) -> Callable[[TransactionSource[M]], TransactionSource[M]]:
    """
    Register a function that returns the ``TransactionData`` of an object, or ``Skipped(reason)`` or None.

    Raises SourceError if the model has another source.
    """
    return lambda source: _register(transactions, model, source)


def _register(registry: dict[type[models.Model], Any], model: type[models.Model], source: R) -> R:
    if registry.get(model, source) is not source:
        raise SourceError(f"{model._meta.label} has a source already: {registry[model].__qualname__}.")
    registry[model] = source
    return source


def find(registry: dict[type[models.Model], R], model: type[models.Model]) -> R | None:
    """The source of a model, or of the nearest model that it inherits from or is a proxy of."""
    return next((registry[parent] for parent in model.__mro__ if parent in registry), None)


def customer_key(instance: models.Model) -> str:
    """
    The key of a host object at PartnerStack, from ``PARTNERSTACK_CUSTOMER_KEY``. It must never change.

    By default the model and the primary key. Not an e-mail address, because that changes.

    Raises SourceError for an object that was never saved, and for a key that cannot be used.
    """
    if not isinstance(instance, models.Model) or instance.pk is None:
        raise SourceError(f"A customer is a saved object of the site; not {instance!r}.")
    chosen = conf.customer_key
    if chosen == "<model>-<pk>":
        key = f"{_model(instance)._meta.model_name}-{instance.pk}"
    else:
        key = import_string(chosen)(instance)
    if not isinstance(key, str) or not 0 < len(key) <= 255:
        raise SourceError(
            f"PARTNERSTACK_CUSTOMER_KEY returned {key!r} for {label(instance)}; use 1 to 255 characters."
        )
    return key


def _model(instance: models.Model) -> type[models.Model]:
    """The model that names the key: the same for each proxy or subclass that the object was loaded as."""
    registered = (model for model in type(instance).__mro__ if model in customers)
    return next(registered, instance._meta.concrete_model or type(instance))


def label(instance: models.Model) -> str:
    return f"{instance._meta.label} {instance.pk}"
