"""The details of old clicks are deleted."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import override_settings
from django.utils import timezone

from django_partnerstack.dispatch import jobs
from django_partnerstack.models import Attribution
from django_partnerstack.privacy.retention import prune_clicks
from django_partnerstack.worker.heartbeat import heartbeat

pytestmark = pytest.mark.django_db

DETAILS = ("landing_path", "earlier_clicks", "visit")


def attribution(days: float, **fields: Any) -> Attribution:
    return Attribution.objects.create(
        mode="test",
        customer_key=f"account-{days}-{len(fields)}",
        click_id="xid-1",
        landing_path="/welcome",
        earlier_clicks=[{"path": "/"}],
        visit={"ip_address": "203.0.113.77"},
        bound_at=timezone.now() - timedelta(days=days),
        **fields,
    )


def details(row: Attribution) -> list[Any]:
    row.refresh_from_db()
    return [getattr(row, name) for name in DETAILS]


def test_where_a_visitor_came_from_is_deleted_and_the_partner_stays() -> None:
    old = attribution(91, partner_key="gstest", method="link")
    fresh = attribution(89, partner_key="gstest", method="link")
    assert prune_clicks("test", timezone.now()) == 1
    assert details(old) == ["", [], {}]
    assert (old.partner_key, old.click_id, old.method) == ("gstest", "xid-1", "link")
    assert details(fresh) == ["/welcome", [{"path": "/"}], {"ip_address": "203.0.113.77"}]
    assert prune_clicks("test", timezone.now()) == 0


@override_settings(PARTNERSTACK_RETENTION_DAYS=10)
def test_a_customer_without_a_partner_keeps_them_while_it_can_be_attributed() -> None:
    attributed, organic, late = attribution(11, partner_key="gstest"), attribution(11), attribution(91)
    assert prune_clicks("test", timezone.now()) == 2
    assert details(attributed) == details(late) == ["", [], {}]
    assert details(organic)[0] == "/welcome"


def test_the_other_mode_is_kept() -> None:
    row = attribution(1000)
    prune_clicks("production", timezone.now())
    assert details(row)[0] == "/welcome"


def test_the_worker_prunes() -> None:
    row = attribution(1000)

    class OneBeat:
        beats = 0

        def is_set(self) -> bool:
            return self.beats > 0

        def wait(self, seconds: float) -> bool:
            self.beats += 1
            return True

    heartbeat("test", dict).run(OneBeat(), lambda text: None)  # type: ignore[arg-type]
    assert details(row) == ["", [], {}]


def test_a_sweep_prunes() -> None:
    row = attribution(1000)
    jobs.sweep()
    assert details(row) == ["", [], {}]
