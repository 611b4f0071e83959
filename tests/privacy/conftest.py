from __future__ import annotations

from typing import Any

import pytest

from django_partnerstack.webhooks import retention
from tests.shop.models import Account

from .world import WEBHOOK_SECRET, World, ada


@pytest.fixture(autouse=True)
def _attentive_router(settings: Any) -> None:
    """Notices a question about no model or object."""
    settings.DATABASE_ROUTERS = ["tests.routers.Attentive"]


@pytest.fixture
def world(db: None, settings: Any) -> World:
    settings.PARTNERSTACK_PRIVACY = "full"
    settings.PARTNERSTACK_WEBHOOK_SECRETS = [WEBHOOK_SECRET]
    retention._pruned_at.clear()
    return World()


@pytest.fixture
def account(world: World) -> Account:
    return ada(world)
