"""The check for django-health-check 4, by its own view."""

from __future__ import annotations

from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.test import AsyncRequestFactory
from django.utils import timezone
from health_check.exceptions import ServiceUnavailable, ServiceWarning
from health_check.views import HealthCheckView

from django_partnerstack.contrib.health_check import PartnerStack
from django_partnerstack.models import OutboxMessage, State, SyncState

PATH = "django_partnerstack.contrib.health_check.PartnerStack"


def failed_message() -> None:
    OutboxMessage.objects.create(
        mode="test", state=State.FAILED, operation="customers.create", payload={}, queued_at=timezone.now()
    )


@pytest.mark.django_db
def test_a_healthy_site_passes() -> None:
    PartnerStack().run()
    PartnerStack(fail_on="warn").run()


@pytest.mark.django_db
def test_a_warning_fails_only_if_it_is_asked_for() -> None:
    failed_message()
    PartnerStack().run()
    with pytest.raises(ServiceWarning, match="1 message failed"):
        PartnerStack(fail_on="warn").run()


@pytest.mark.django_db
def test_an_error_is_reported_with_its_sentence() -> None:
    SyncState.objects.create(mode="test", resource="customers", production_seen_at=timezone.now())
    with pytest.raises(ServiceUnavailable, match="PARTNERSTACK_MODE is test, but PartnerStack returns"):
        PartnerStack().run()


def test_another_severity_is_refused() -> None:
    with pytest.raises(ValueError, match='fail_on must be "error" or "warn", not \'fatal\''):
        PartnerStack(fail_on="fatal")


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("fail_on", "code"), [("error", 200), ("warn", 500)])
def test_the_view_of_the_library_runs_it(fail_on: str, code: int) -> None:
    failed_message()
    view = HealthCheckView.as_view(checks=[(PATH, {"fail_on": fail_on})])
    request: Any = AsyncRequestFactory().get("/health/", {"format": "json"})
    response = async_to_sync(view)(request)
    assert response.status_code == code
    assert f"PartnerStack(fail_on='{fail_on}')" in response.content.decode()
