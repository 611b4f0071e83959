"""The deliveries with which an operator tries the site's own URL."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from django_partnerstack.models import Customer, Deal
from django_partnerstack.webhooks.samples import sample

from .conftest import SAMPLES

pytestmark = pytest.mark.django_db

NOW = timezone.now().replace(microsecond=0)


def of(event: str, key: str = "") -> dict[str, Any]:
    return sample(event, key, now=NOW)


def test_a_test_is_what_partnerstack_sends() -> None:
    assert of("test") == SAMPLES["postback.test"]["body"]
    assert of("test", "cus_1") == SAMPLES["postback.test"]["body"]


@pytest.mark.parametrize(("mode", "is_test"), [("test", True), ("production", False)])
def test_an_event_names_its_object_its_time_and_its_mode(settings: Any, mode: str, is_test: bool) -> None:
    settings.PARTNERSTACK_MODE = mode
    assert of("customer.updated", "cus_1") == {
        "event": "customer.updated",
        "data": {"key": "cus_1", "updated_at": NOW.timestamp() * 1000},
        "test": is_test,
    }


def test_without_a_key_it_is_about_the_object_of_the_mirror_that_changed_last() -> None:
    assert of("customer.updated")["data"]["key"] == "Ex4mple0Object1"
    earlier = NOW - timedelta(days=1)
    for key, fields in {
        "cus_old": {"remote_updated_at": earlier},
        "cus_new": {"remote_updated_at": NOW},
        "cus_older": {"remote_updated_at": earlier},
        "cus_gone": {"remote_updated_at": NOW, "missing_since": NOW},
        "cus_live": {"remote_updated_at": NOW, "mode": "production"},
    }.items():
        Customer.objects.create(**{"mode": "test", "key": key, "raw": {}, **fields})
    Deal.objects.create(mode="test", key="deal_1", raw={}, remote_updated_at=NOW)
    assert of("customer.updated")["data"]["key"] == "cus_new"
    assert of("deal.created")["data"]["key"] == "deal_1"
    Customer.objects.filter(key="cus_new").update(remote_updated_at=earlier)
    # The one that was stored last.
    assert of("customer.updated")["data"]["key"] == "cus_older"
