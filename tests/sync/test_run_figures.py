"""What the state of a resource says about its last run, and what a run shows about PartnerStack."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from django_partnerstack.exceptions import AuthenticationFailed, PartnerStackError
from django_partnerstack.models import SyncState, ThrottleState
from tests.sync.conftest import stop_after_the_first_page

pytestmark = pytest.mark.django_db


def state() -> SyncState:
    return SyncState.objects.get(resource="customers")


def test_a_finished_run_leaves_its_duration_and_counts(programme: Any, sync: Any, clock: Any) -> None:
    pulled = sync(programme, on_page=lambda pulled: clock.move(seconds=3))
    assert state().duration == timedelta(seconds=3)
    assert (state().read, state().changed) == (pulled.read, pulled.created)
    assert (state().error, state().failed_at) == ("", None)
    sync(programme)
    assert (state().read, state().changed) == (1, 0)


def test_a_failed_run_leaves_when_and_why(programme: Any, sync: Any, clock: Any) -> None:
    sync(programme)
    completed_at = clock()
    clock.move(hours=1)
    programme.sandbox.faults.add("status", status=404)
    with pytest.raises(PartnerStackError):
        sync(programme)
    assert state().failed_at == clock()
    assert "404" in state().error
    assert (state().completed_at, state().read, state().changed) == (completed_at, 0, 0)
    programme.sandbox.faults.clear()
    sync(programme)
    assert (state().error, state().failed_at) == ("", clock())


def test_an_interrupted_run_has_not_failed(many: Any, sync: Any, clock: Any) -> None:
    stop_after_the_first_page(sync, many)
    assert (state().read, state().error, state().failed_at) == (250, "", None)


def test_no_error_contains_a_key(programme: Any, sync: Any, settings: Any) -> None:
    settings.PARTNERSTACK_PUBLIC_KEY, settings.PARTNERSTACK_SECRET_KEY = "pk_canary", "on demand"
    programme.sandbox.faults.add("status", status=404)
    with pytest.raises(PartnerStackError):
        sync(programme)
    assert "on demand" not in state().error
    assert "***" in state().error


def test_rejected_keys_pause_the_delivery_and_accepted_keys_end_that(programme: Any, sync: Any) -> None:
    programme.sandbox.faults.add("status", status=401)
    with pytest.raises(AuthenticationFailed):
        sync(programme)
    row = ThrottleState.objects.get()
    assert row.half_open
    assert "401" in row.pause_reason
    ThrottleState.objects.update(rejected_keys="f" * 64)
    programme.sandbox.faults.clear()
    sync(programme)
    row = ThrottleState.objects.get()
    assert (row.rejected_keys, row.paused_until, row.half_open) == ("", None, False)


def test_an_outage_is_known_until_a_sync_succeeds(programme: Any, sync: Any, clock: Any) -> None:
    programme.sandbox.faults.add("status", status=503)
    with pytest.raises(PartnerStackError):
        sync(programme)
    row = ThrottleState.objects.get()
    assert row.failing_since is not None
    assert "503" in row.failure
    assert row.paused_until is None
    programme.sandbox.faults.clear()
    sync(programme)
    assert ThrottleState.objects.get().failing_since is None
