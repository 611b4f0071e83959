from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connections

from django_partnerstack import sources

from .models import Badge, Company, Device, Party, Seat, Ticket


@pytest.fixture(autouse=True)
def _attentive_router(settings: Any) -> None:
    """Notices a read from a replica, and a question about no model or object."""
    settings.DATABASE_ROUTERS = ["tests.routers.Attentive"]


@pytest.fixture
def reported() -> Iterator[None]:
    """The site reports the customers of this app."""
    before = dict(sources.customers)
    for model in (Party, Company, Badge, Device, Seat, Ticket):
        sources.customer(model)(describe)
    yield
    sources.customers.clear()
    sources.customers.update(before)


def describe(customer: Any) -> sources.CustomerData:
    return sources.CustomerData(email=customer.email, partner_key="gstest")


class SecondRouter:
    """Customers may be in a second database; messages are written to the first."""

    def db_for_write(self, model: Any, **hints: Any) -> str | None:
        return "default" if model._meta.app_label == "partnerstack" else None


@pytest.fixture
def second(monkeypatch: pytest.MonkeyPatch, settings: Any) -> str:
    """The alias of a second database, which no test connects to."""
    monkeypatch.setitem(connections.settings, "second", connections.settings["default"])
    settings.DATABASE_ROUTERS = [f"{__name__}.SecondRouter"]
    return "second"
