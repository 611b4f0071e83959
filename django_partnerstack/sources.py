"""
What a site reports, as plain data.

A module ``partnerstack.py`` in any app of the site registers functions that turn the site's own objects into
this data; it is found by itself, as ``admin.py`` is.
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
from .exceptions import PartnerStackError

F = TypeVar("F", bound=Callable[[Any], Any])


class SourceError(PartnerStackError):
    """A source, or what it returned, cannot be used; the message says what to change."""


@dataclass(frozen=True, kw_only=True)
class CustomerData:
    """
    A customer as PartnerStack is to know it.

    ``partner_key``: the partner who sent it; empty for an organic customer, which PartnerStack is not told
    of. ``provider_key``: the payment provider's key. ``meta``: custom fields by their API names.
    """

    email: str
    name: str = ""
    partner_key: str = ""
    provider_key: str = ""
    meta: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class TransactionData:
    """
    A payment as PartnerStack is to know it.

    ``key``: the site's own, 4 to 255 characters, never used twice. ``customer``: the site's object that
    ``sources.customer`` is registered for. ``amount``: a Decimal in the currency, or an int in its minor
    unit. ``metadata``: at most 25 short texts.
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
    """Returned by a source instead of data: do not report this object, and why."""

    reason: str


customers: dict[type[models.Model], Callable[[Any], CustomerData | Skipped | None]] = {}
transactions: dict[type[models.Model], Callable[[Any], TransactionData | Skipped | None]] = {}


def customer(model: type[models.Model]) -> Callable[[F], F]:
    """Register a function that gives the ``CustomerData`` of an object, ``Skipped(reason)``, or None."""
    return lambda function: _register(customers, model, function)


def transaction(model: type[models.Model]) -> Callable[[F], F]:
    """Register a function that gives the ``TransactionData`` of an object, ``Skipped(reason)``, or None."""
    return lambda function: _register(transactions, model, function)


def _register(registry: dict[type[models.Model], Any], model: type[models.Model], function: F) -> F:
    if registry.get(model, function) is not function:
        raise SourceError(f"{model._meta.label} has a source already: {registry[model].__qualname__}.")
    registry[model] = function
    return function


def find(registry: dict[type[models.Model], F], model: type[models.Model]) -> F | None:
    """The source of a model, or of one that it inherits from or is a proxy of."""
    return next((registry[parent] for parent in model.__mro__ if parent in registry), None)


def customer_key(instance: models.Model) -> str:
    """
    The key that names this object at PartnerStack for good: ``PARTNERSTACK_CUSTOMER_KEY``.

    By default the model and the primary key. Never an e-mail address: those change.

    Raises SourceError for what is no saved object, and for a key that cannot be used.
    """
    if not isinstance(instance, models.Model) or instance.pk is None:
        raise SourceError(f"A customer is an object of the site that has been saved; not {instance!r}.")
    chosen = conf.customer_key
    if chosen == "<model>-<pk>":
        key = f"{_model(instance)._meta.model_name}-{instance.pk}"
    else:
        key = import_string(chosen)(instance)
    if not isinstance(key, str) or not 0 < len(key) <= 255:
        raise SourceError(
            f"PARTNERSTACK_CUSTOMER_KEY gave {key!r} for {label(instance)}; want 1 to 255 characters."
        )
    return key


def _model(instance: models.Model) -> type[models.Model]:
    """Whatever proxy or subclass it was loaded as, a customer has one key."""
    registered = (model for model in type(instance).__mro__ if model in customers)
    return next(registered, instance._meta.concrete_model or type(instance))


def label(instance: models.Model) -> str:
    return f"{instance._meta.label} {instance.pk}"
