"""``PARTNERSTACK_DISPATCH``: what happens after a commit that queued a message."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from celery import Celery
from django.db import transaction
from django.test import override_settings

from django_partnerstack import dispatch
from tests.shop.models import Account

woken: list[str] = []


def wake(lane: str) -> None:
    """A function that a site may name in the setting."""
    woken.append(lane)


def fail(lane: str) -> None:
    raise OSError("The broker is down.")


@pytest.fixture(autouse=True)
def _none_woken() -> None:
    woken.clear()


@pytest.fixture
def dispatched(request: pytest.FixtureRequest, transactional_db: Any) -> Iterator[str]:
    """The value of the setting. The test ends when all its wake-ups are sent."""
    with override_settings(PARTNERSTACK_DISPATCH=request.param):
        yield request.param
        assert dispatch.wakeups(request.param).wait(10)


def wakeups_sent(path: str) -> list[str]:
    assert dispatch.wakeups(path).wait(10)
    return woken


WAKE, FAIL = f"{__name__}.wake", f"{__name__}.fail"


@pytest.mark.parametrize("dispatched", [WAKE], indirect=True)
def test_a_function_of_the_site_gets_the_lane_of_a_queued_message(dispatched: str) -> None:
    account = Account.objects.create(email="ada@shop.example")
    assert wakeups_sent(dispatched) == [f"customer:shop-account-{account.pk}"]


@pytest.mark.parametrize("dispatched", [WAKE], indirect=True)
def test_a_rolled_back_message_wakes_no_worker(dispatched: str) -> None:
    with transaction.atomic():
        Account.objects.create(email="ada@shop.example")
        transaction.set_rollback(True)
    assert wakeups_sent(dispatched) == []


@pytest.mark.parametrize("dispatched", [WAKE], indirect=True)
def test_a_save_that_queues_nothing_wakes_no_worker(dispatched: str) -> None:
    account = Account.objects.create(email="ada@shop.example")
    wakeups_sent(dispatched).clear()
    account.save()
    assert wakeups_sent(dispatched) == []


@pytest.mark.parametrize("dispatched", [FAIL, "tests.nowhere.wake"], indirect=True)
def test_a_wake_up_that_fails_is_logged_and_breaks_no_save(
    dispatched: str, caplog: pytest.LogCaptureFixture
) -> None:
    Account.objects.create(email="ada@shop.example")
    wakeups_sent(dispatched)
    assert Account.objects.count() == 1
    assert [record.levelno for record in caplog.records] == [logging.ERROR]


@pytest.mark.parametrize("dispatched", ["immediate"], indirect=True)
def test_without_keys_nothing_is_sent_and_nothing_is_logged(
    dispatched: str, caplog: pytest.LogCaptureFixture
) -> None:
    Account.objects.create(email="ada@shop.example", partner_key="gstest")
    wakeups_sent(dispatched)
    assert caplog.records == []


@pytest.mark.django_db(transaction=True)
def test_by_default_no_worker_is_woken() -> None:
    Account.objects.create(email="ada@shop.example")
    assert dispatch.wakeups("worker").wait(0)


@override_settings(PARTNERSTACK_DISPATCH="celery")
def test_the_tasks_are_registered_with_celery() -> None:
    dispatch.register_celery_tasks()
    assert {
        f"partnerstack.{name}" for name in ("deliver", "sweep", "sync", "full_sync", "webhooks", "backfill")
    } <= set(Celery().tasks)


@override_settings(PARTNERSTACK_DISPATCH="celery")
def test_a_site_starts_without_celery_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    # A module that is None in sys.modules cannot be imported.
    monkeypatch.setitem(sys.modules, "celery", None)
    monkeypatch.delitem(sys.modules, "django_partnerstack.dispatch.celery", raising=False)
    dispatch.register_celery_tasks()
    assert "django_partnerstack.dispatch.celery" not in sys.modules
