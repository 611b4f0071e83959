"""
What a site reports to PartnerStack: sources, which describe the site's objects as plain data.

Register sources in a module ``partnerstack.py`` of any app. It is discovered automatically, like
``admin.py``::

    @sources.customer(Account)
    def account(account: Account) -> sources.CustomerData:
        return sources.CustomerData(email=account.owner.email, name=account.name)

A source is called when an object of its model is saved, and by ``partnerstack_backfill``. It may be called
any number of times for the same object, and must not change it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, TypeVar

from django.db import DatabaseError, connections, models

from .exceptions import SourceError

__all__ = [
    "CustomerData",
    "Skipped",
    "SourceError",
    "TransactionData",
    "customer",
    "transaction",
]

M = TypeVar("M", bound=models.Model)
R = TypeVar("R")


@dataclass(frozen=True, kw_only=True)
class CustomerData:
    """
    The data of a customer (docs.partnerstack.com/reference/post_customers).

    ``partner_key``: the partner who referred the customer. Leave it empty if the visitor's click decides;
    without a click the customer is organic and not reported. ``provider_key``: the customer's key at the
    payment provider. ``meta``: custom fields by their API names.
    """

    email: str
    name: str = ""
    partner_key: str = ""
    provider_key: str = ""
    meta: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class TransactionData:
    """
    The data of a payment (docs.partnerstack.com/reference/post_transactions).

    ``key``: the site's key of the payment, 4 to 240 characters, not ending in ``~r1`` or another number;
    each key is reported once. ``customer``: the site's object that ``sources.customer`` is registered for.
    ``amount``: a ``Decimal`` in major units (``Decimal("49.00")``) or an ``int`` in minor units (``4900``).
    ``currency``: an ISO 4217 code.
    ``metadata``: at most 25 short texts. ``created_at``: when it was paid, with a time zone; None for now.
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
    """What a source returns instead of data if the object must not be reported. ``reason`` is recorded."""

    reason: str


CustomerSource = Callable[[M], CustomerData | Skipped | None]
TransactionSource = Callable[[M], TransactionData | Skipped | None]

customers: dict[type[models.Model], CustomerSource[Any]] = {}
transactions: dict[type[models.Model], TransactionSource[Any]] = {}


def customer(model: type[M]) -> Callable[[CustomerSource[M]], CustomerSource[M]]:
    """
    Decorator: register the source of a customer model.

    The function takes an object of ``model`` and returns ``CustomerData``; ``Skipped(reason)`` or None if the
    object must not be reported. It is returned unchanged. Safe to repeat with the same function.

    Raises SourceError if the model has another source.
    """
    return lambda source: _register(customers, model, source)


def transaction(model: type[M]) -> Callable[[TransactionSource[M]], TransactionSource[M]]:
    """
    Decorator: register the source of a payment model.

    The function takes an object of ``model`` and returns ``TransactionData``; ``Skipped(reason)`` or None if
    the object must not be reported, for example not yet. It is returned unchanged. Safe to repeat with the
    same function.

    Raises SourceError if the model has another source.
    """
    return lambda source: _register(transactions, model, source)


def _register(registry: dict[type[models.Model], Any], model: type[models.Model], source: R) -> R:
    if registry.get(model, source) is not source:
        raise SourceError(
            f"{model._meta.label} has a source already: {registry[model].__qualname__}. Remove one of them."
        )
    registry[model] = source
    return source


def find(registry: dict[type[models.Model], R], model: type[models.Model]) -> R | None:
    """The source of a model, or of the nearest model that it inherits from. None if there is none."""
    return next((registry[parent] for parent in model.__mro__ if parent in registry), None)


def call(function: Callable[[Any], R], instance: models.Model) -> R:
    """
    What a function of the site returns for an object. Its failing queries do not break the transaction.

    Raises what the function raises. On PostgreSQL, raises SourceError if it caught the error of a query that
    failed outside an ``atomic()`` of its own: what it wrote is undone then, too.
    """
    with ExitStack() as savepoints:
        # All connections, because the function may query any database.
        for connection in connections.all(initialized_only=True):
            if connection.in_atomic_block and not connection.needs_rollback:
                savepoints.enter_context(_savepoint_on_first_query(connection))
        return function(instance)


@contextmanager
def _savepoint_on_first_query(connection: Any) -> Iterator[None]:
    """
    As ``atomic()``, but a function without queries needs no savepoint.

    If the function opens ``atomic()`` itself, its SAVEPOINT is a query too, so this one is around it. With
    ``atomic(savepoint=False)``, and when a ``save()`` fails, Django marks the whole transaction for a
    rollback. Rolling back to the savepoint undoes all that the function did, so the mark is removed.
    """
    savepoints: list[str | None] = []

    def begin(execute: Callable[..., Any], sql: str, *rest: Any) -> Any:
        if not savepoints:
            savepoints.append(None)  # Creating a savepoint is a query, too.
            savepoints[0] = connection.savepoint()
        return execute(sql, *rest)

    try:
        with connection.execute_wrapper(begin):
            yield
    except BaseException:
        _undo(connection, savepoints)
        raise
    if connection.needs_rollback:
        _undo(connection, savepoints)
    else:
        _end(connection, savepoints)


def _end(connection: Any, savepoints: list[str | None]) -> None:
    if not (savepoints and savepoints[0]):
        return
    try:
        connection.savepoint_commit(savepoints[0])
    except DatabaseError:
        _undo(connection, savepoints)
        if connection.needs_rollback:
            raise
        # PostgreSQL's "current transaction is aborted" is not true any more: it was only this savepoint.
        raise SourceError(
            "A query failed in the source, which caught the error and went on. Put the query in "
            "transaction.atomic(), so that what follows it can be saved."
        ) from None


def _undo(connection: Any, savepoints: list[str | None]) -> None:
    connection.needs_rollback = False
    if savepoints and savepoints[0]:
        try:
            connection.savepoint_rollback(savepoints[0])
            connection.savepoint_commit(savepoints[0])
        except DatabaseError:
            # The database has ended the transaction. Nothing of it can be saved any more.
            connection.needs_rollback = True


def label(instance: models.Model) -> str:
    return f"{instance._meta.label} {instance.pk}"
