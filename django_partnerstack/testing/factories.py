"""
Rows of the mirrors, as a sync stores them. They need no sandbox and no fixture but the database.

    ada = factories.partnership(partner_key="ada", first_name="Ada")
    customer = factories.customer(partner_key="ada", email="grace@example.com")

Each takes the fields of the object in PartnerStack's API and has sample values for the others. Each object
has a key of its own. Raises TypeError for a field that the object does not have.
"""

from __future__ import annotations

from functools import cache
from typing import Any, TypeVar

from django.utils import timezone

from django_partnerstack.conf import conf
from django_partnerstack.mapping import store_one
from django_partnerstack.models import (
    Action,
    Customer,
    Deal,
    Group,
    Lead,
    Mirror,
    Partnership,
    Reward,
    Transaction,
)
from django_partnerstack.resources import of_model
from django_partnerstack.sandbox import Sandbox

M = TypeVar("M", bound=Mirror)


def partnership(**fields: Any) -> Partnership:
    return _stored(Partnership, fields)


def customer(**fields: Any) -> Customer:
    return _stored(Customer, fields)


def transaction(**fields: Any) -> Transaction:
    return _stored(Transaction, fields)


def action(**fields: Any) -> Action:
    return _stored(Action, fields)


def reward(**fields: Any) -> Reward:
    return _stored(Reward, fields)


def deal(**fields: Any) -> Deal:
    return _stored(Deal, fields)


def lead(**fields: Any) -> Lead:
    return _stored(Lead, fields)


def group(**fields: Any) -> Group:
    return _stored(Group, fields)


def _stored(model: type[M], fields: dict[str, Any]) -> M:
    resource = of_model(model)
    item = _samples(conf.mode).create(resource.name)
    for name in fields:
        if name not in item:
            known = ", ".join(sorted(item))
            raise TypeError(f"{resource.name} have no field {name!r}. Known: {known}.")
    record = resource.record.from_api({**item, **fields})
    store_one(model, record, mode=conf.mode, now=timezone.now())
    return model._base_manager.get(mode=conf.mode, key=record.key)


@cache
def _samples(mode: str) -> Sandbox:
    """Where samples come from. It grows with each, so that no two have the same key."""
    return Sandbox(mode=mode, customers=1, transactions=1)
