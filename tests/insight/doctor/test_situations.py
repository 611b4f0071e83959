"""Broken situations as they develop on a site that tries to work: one sentence for one cause, at any time."""

from __future__ import annotations

import io
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.utils import timezone

from django_partnerstack.models import OutboxMessage, State, SyncState, ThrottleState, Worker
from django_partnerstack.sandbox import PRODUCTION_KEYS, TEST_KEYS, Sandbox
from tests.shop.models import Account, Payment

Codes = Callable[[], list[str]]


@pytest.fixture
def working(healthy: Sandbox) -> Sandbox:
    """A site that has reported a customer and synced, and has a payment to report."""
    account = Account.objects.create(email="ada@example.com", partner_key="gstest")
    work()
    Payment.objects.create(account=account, total=49)
    return healthy


def work() -> None:
    """What a worker does: deliver and sync. A second later it does so again."""
    for name, options in (("partnerstack_push", {"threads": 1}), ("partnerstack_sync", {})):
        # The doctor says why it failed.
        with suppress(Exception, SystemExit):
            call_command(name, stdout=io.StringIO(), stderr=io.StringIO(), **options)


def an_hour_passes() -> None:
    """What the database remembers, an hour later."""
    hour = timedelta(hours=1, minutes=1)
    for state in SyncState.objects.all():
        for name in ("completed_at", "full_completed_at", "attempted_at"):
            at = getattr(state, name)
            setattr(state, name, at and at - hour)
        state.save()
    for row in ThrottleState.objects.all():
        if row.failing_since:
            ThrottleState.objects.update(failing_since=row.failing_since - hour)
    OutboxMessage.objects.filter(state=State.QUEUED).update(queued_at=timezone.now() - hour)


def test_a_working_site_has_no_finding(working: Sandbox, codes: Codes) -> None:
    assert codes() == []
    work()
    assert codes() == []


def test_keys_that_became_wrong_and_were_repaired(working: Sandbox, codes: Codes, settings: Any) -> None:
    settings.PARTNERSTACK_SECRET_KEY = PRODUCTION_KEYS[1]
    assert codes() == ["keys-rejected"]
    work()
    assert ThrottleState.objects.get().paused_until is not None
    assert codes() == ["keys-rejected"]
    an_hour_passes()
    work()
    assert codes() == ["keys-rejected"]
    settings.PARTNERSTACK_SECRET_KEY = TEST_KEYS[1]
    work()
    assert codes() == []
    assert not OutboxMessage.objects.exclude(state=State.DELIVERED).exists()


def test_a_service_that_went_down_and_came_back(
    working: Sandbox, codes: Codes, settings: Any, free_port: int
) -> None:
    url = settings.PARTNERSTACK_API_URL
    settings.PARTNERSTACK_API_URL = f"http://127.0.0.1:{free_port}/api/v2"
    work()
    assert codes() == ["partnerstack-unreachable"]
    an_hour_passes()
    work()
    assert codes() == ["partnerstack-unreachable"]
    settings.PARTNERSTACK_API_URL = url
    assert "requests-failing" not in codes()
    work()
    assert codes() == []


def test_the_keys_of_the_other_mode(working: Sandbox, codes: Codes, settings: Any) -> None:
    settings.PARTNERSTACK_MODE = "production"
    Worker.objects.create(mode="production")
    Account.objects.all().delete()
    assert codes() == ["mode-mismatch"]
    work()
    assert codes() == ["mode-mismatch"]


def test_a_resource_without_permission(working: Sandbox, codes: Codes) -> None:
    working.behaviour.forbidden = ("deals",)
    work()
    an_hour_passes()
    work()
    assert codes() == ["resources-forbidden"]


def test_no_worker_runs_any_more(working: Sandbox, codes: Codes) -> None:
    Worker.objects.update(seen_at=timezone.now() - timedelta(hours=2))
    an_hour_passes()
    assert codes() == ["no-worker"]
