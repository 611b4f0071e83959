"""``PARTNERSTACK_DISPATCH``: what follows the commit that queued a message."""

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
    """What a site may name in the setting."""
    woken.append(lane)


def fail(lane: str) -> None:
    raise OSError("The broker is down.")


@pytest.fixture(autouse=True)
def _none_woken() -> None:
    woken.clear()


@pytest.fixture
def dispatched(request: pytest.FixtureRequest, transactional_db: Any) -> Iterator[str]:
    """The setting; what a test does has been acted on at its end."""
    with override_settings(PARTNERSTACK_DISPATCH=request.param):
        yield request.param
        assert dispatch.messenger(request.param).wait(10)


def settled(path: str) -> list[str]:
    assert dispatch.messenger(path).wait(10)
    return woken


WAKE, FAIL = f"{__name__}.wake", f"{__name__}.fail"


@pytest.mark.parametrize("dispatched", [WAKE], indirect=True)
def test_a_function_of_the_site_is_given_the_lane_of_what_was_queued(dispatched: str) -> None:
    account = Account.objects.create(email="ada@shop.example")
    assert settled(dispatched) == [f"customer:account-{account.pk}"]


@pytest.mark.parametrize("dispatched", [WAKE], indirect=True)
def test_nobody_is_woken_for_what_was_rolled_back(dispatched: str) -> None:
    with transaction.atomic():
        Account.objects.create(email="ada@shop.example")
        transaction.set_rollback(True)
    assert settled(dispatched) == []


@pytest.mark.parametrize("dispatched", [WAKE], indirect=True)
def test_nobody_is_woken_for_what_is_not_new(dispatched: str) -> None:
    account = Account.objects.create(email="ada@shop.example")
    settled(dispatched).clear()
    account.save()
    assert settled(dispatched) == []


@pytest.mark.parametrize("dispatched", [FAIL, "tests.nowhere.wake"], indirect=True)
def test_a_wake_up_that_fails_is_logged_and_breaks_no_save(
    dispatched: str, caplog: pytest.LogCaptureFixture
) -> None:
    Account.objects.create(email="ada@shop.example")
    settled(dispatched)
    assert Account.objects.count() == 1
    assert [record.levelno for record in caplog.records] == [logging.ERROR]


@pytest.mark.parametrize("dispatched", ["immediate"], indirect=True)
def test_without_keys_nothing_is_sent_and_nothing_is_logged(
    dispatched: str, caplog: pytest.LogCaptureFixture
) -> None:
    Account.objects.create(email="ada@shop.example", partner_key="gstest")
    settled(dispatched)
    assert caplog.records == []


@pytest.mark.django_db(transaction=True)
def test_by_default_nobody_is_woken() -> None:
    Account.objects.create(email="ada@shop.example")
    assert dispatch.messenger("worker").wait(0)


@override_settings(PARTNERSTACK_DISPATCH="celery")
def test_a_celery_worker_of_the_site_knows_the_tasks() -> None:
    dispatch.load()
    assert {f"partnerstack.{name}" for name in ("deliver", "sweep", "sync", "backfill")} <= set(
        Celery().tasks
    )


@override_settings(PARTNERSTACK_DISPATCH="celery")
def test_a_site_starts_although_celery_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    # What is None there cannot be imported.
    monkeypatch.setitem(sys.modules, "celery", None)
    monkeypatch.delitem(sys.modules, "django_partnerstack.dispatch.celery", raising=False)
    dispatch.load()
    assert "django_partnerstack.dispatch.celery" not in sys.modules
