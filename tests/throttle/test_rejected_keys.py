"""PartnerStack rejects the keys: these keys are paused, and other keys are not."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from django.db import connection

from django_partnerstack.connection import fingerprint_of_keys
from django_partnerstack.models import ThrottleState
from django_partnerstack.sandbox import TEST_KEYS
from django_partnerstack.throttle.throttle import resume_delivery
from tests.outbox.site import Site, account

pytestmark = pytest.mark.django_db

WRONG = ("pk_wrong_1", "sk_wrong_1")


def new_process(site: Site, settings: Any, keys: tuple[str, str]) -> Any:
    """A worker that was started with these keys in its settings."""
    settings.PARTNERSTACK_PUBLIC_KEY, settings.PARTNERSTACK_SECRET_KEY = keys
    return site.new_worker(keys)


@pytest.fixture
def rejected(site: Site, settings: Any) -> Any:
    """Three customers are queued, and a worker whose keys were rejected with the first."""
    for name in "abc":
        account(email=f"{name}@customers.example")
    worker = new_process(site, settings, WRONG)
    site.push(worker)
    assert len(site.sent) == 1
    return worker


def test_the_same_keys_stay_paused_also_after_a_restart(site: Site, settings: Any, rejected: Any) -> None:
    site.push(rejected)
    site.push(new_process(site, settings, WRONG))
    assert len(site.sent) == 1


def test_changed_keys_resume_at_once(site: Site, settings: Any, rejected: Any) -> None:
    assert site.push(new_process(site, settings, TEST_KEYS))["delivered"] == 3
    assert (ThrottleState.objects.get().rejected_keys, ThrottleState.objects.get().half_open) == ("", False)


def test_changed_keys_that_are_wrong_too_are_paused_after_one_request(
    site: Site, settings: Any, rejected: Any
) -> None:
    worker = new_process(site, settings, ("pk_wrong_1", "sk_wrong_2"))
    for _ in range(3):
        site.push(worker)
    assert len(site.sent) == 2


def test_keys_count_as_rejected_until_a_request_succeeds(site: Site, settings: Any, rejected: Any) -> None:
    assert resume_delivery("test")
    assert ThrottleState.objects.get().rejected_keys == fingerprint_of_keys()


def test_no_row_contains_the_keys_or_a_hash_that_others_can_try(settings: Any, rejected: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM partnerstack_throttlestate")
        row = str(cursor.fetchone())
    assert fingerprint_of_keys() in row
    assert not any(key in row for key in WRONG)
    settings.SECRET_KEY = "another-site"
    assert fingerprint_of_keys() not in row


def test_the_reason_is_logged_once_and_that_it_is_over(
    site: Site, settings: Any, rejected: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "django_partnerstack.throttle.throttle")
    worker = new_process(site, settings, WRONG)
    for _ in range(3):
        site.push(worker)
    [paused] = caplog.messages
    assert paused.startswith("Delivery is paused until ")
    assert "PartnerStack rejected your API keys" in paused
    assert "401" in paused


def test_an_outage_is_known_and_logged_from_its_first_failure_to_the_next_success(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "django_partnerstack.throttle.throttle")
    account()
    site.fail("status", status=503)
    site.push()
    row = ThrottleState.objects.get()
    assert row.failing_since == row.failed_at == site.clock.now()
    assert "503" in row.failure
    site.push_for(hours=1)
    row = ThrottleState.objects.get()
    assert (row.failing_since, row.failed_at, row.failure) == (None, None, "")
    failing, over = caplog.messages
    assert failing.startswith("Requests to PartnerStack fail; messages are retried. ")
    assert over == "PartnerStack accepts requests again."
