"""The site's own objects, page by page, with the messages that report them. Nothing here queues anything."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.db import models, router

from .. import sources
from ..identity.customers import Identity, identities_of, identity_of
from ..identity.primary_keys import remember_loaded
from ..identity.references import HostObject, host_object
from .queue.builders import Builder, builder_of
from .queue.new_message import NewMessage

#: Objects that are read at a time.
PAGE = 500


def reported_models() -> list[type[models.Model]]:
    """The models that the site reports, those of customers before those of transactions."""
    found = (_with_source(registry) for registry in (sources.customers, sources.transactions))
    return list(dict.fromkeys(model for several in found for model in several))


def _with_source(registry: dict[type[models.Model], Any]) -> Iterator[type[models.Model]]:
    for model in apps.get_models():
        inherited = any(sources.find(registry, parent) for parent in model._meta.parents)
        if sources.find(registry, model) and not inherited and not model._meta.proxy:
            yield model


def pages_of(model: type[models.Model]) -> Iterator[list[models.Model]]:
    """
    All objects of a model by primary key, those of payments with their customers.

    One query a page, because a cursor would not survive the commits in between.
    """
    customers = [
        relation.name
        for relation in model._meta.concrete_fields
        if relation.related_model and sources.find(sources.customers, relation.related_model)
    ]
    fields = model._meta.pk_fields
    rows = model._base_manager.using(router.db_for_write(model)).order_by(*(field.name for field in fields))
    rows = rows.select_related(*customers) if customers else rows
    page = list(rows[:PAGE])
    while page:
        remember_loaded(page)
        for name in customers:
            remember_loaded(customer for each in page if (customer := getattr(each, name)) is not None)
        yield page
        page = list(rows.filter(_after(page[-1], fields))[:PAGE]) if len(page) == PAGE else []


def _after(last: models.Model, fields: Sequence[models.Field[Any, Any]]) -> models.Q:
    """The condition that a row follows another. Its primary key may be composite."""
    first, *rest = fields
    value = getattr(last, first.attname)
    following = models.Q(**{f"{first.attname}__gt": value})
    return following | (models.Q(**{first.attname: value}) & _after(last, rest)) if rest else following


@dataclass(frozen=True)
class Described:
    """An object of a page, and the message that reports it, which is a note if it is not reported."""

    instance: models.Model
    builder: Builder
    identity: Identity | None
    message: NewMessage


def describe(
    page: list[models.Model],
    *,
    mode: str,
    using: str,
    on_error: Callable[[models.Model, Exception], None],
) -> list[Described]:
    """
    Each object with its message. The keys of all customers of the page are read together.

    ``on_error`` is called with each object whose source fails; the others go on.
    """
    builders: list[tuple[models.Model, Builder, HostObject | None]] = []
    for instance in page:
        try:
            builder = builder_of(instance)
            # Refuses a customer that was not saved.
            host = host_object(builder.customer) if builder.customer is not None else None
            builders.append((instance, builder, host))
        except Exception as error:
            on_error(instance, error)
    customers = {
        host: builder.customer for _, builder, host in builders if host and builder.customer is not None
    }
    identities = _identities(customers, mode, using)
    described = []
    for instance, builder, host in builders:
        try:
            identity = None
            if host is not None and builder.customer is not None:
                identity = identities.get(host) or identity_of(builder.customer, mode=mode, using=using)
            message = builder(identity.key if identity else "")
        except Exception as error:
            on_error(instance, error)
        else:
            described.append(Described(instance, builder, identity, message))
    return described


def _identities(
    customers: dict[HostObject, models.Model], mode: str, using: str
) -> dict[HostObject, Identity]:
    """The customers of a page. None of them if PARTNERSTACK_CUSTOMER_KEY fails for one."""
    try:
        return identities_of(customers.values(), mode=mode, using=using)
    except Exception:
        return {}
