"""Each broken situation is named in one sentence, and nothing else; a healthy site has no finding."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, connections
from django.db.migrations.recorder import MigrationRecorder
from django.utils import timezone

from django_partnerstack.insight.doctor import Item, answers
from django_partnerstack.models import (
    Customer,
    OutboxLane,
    OutboxMessage,
    SyncState,
    WebhookCounter,
    WebhookEvent,
    Worker,
)
from django_partnerstack.sandbox import PRODUCTION_KEYS, TEST_KEYS, Sandbox
from tests.insight.doctor.conftest import SECRET, register
from tests.shop.models import Account, Payment

Codes = Callable[[], list[str]]
Items = Callable[[], dict[str, Item]]


def test_a_healthy_site_has_no_finding(with_webhooks: Sandbox, items: Items) -> None:
    found = items()
    assert {item.state for item in found.values()} == {"ok"}
    assert list(found) == [
        "Settings and middleware",
        "Database",
        "Connection",
        "Keys",
        "Mode",
        "Permissions",
        "Partner links",
        "Clock",
        "Webhooks",
        "Webhook URL",
        "Status",
        "Worker",
        "Sources",
        "Data",
    ]
    assert "10 test" in found["Mode"].text
    assert "deals" in found["Permissions"].text


def test_a_site_that_does_without_webhooks_has_no_finding(healthy: Sandbox, codes: Codes) -> None:
    assert codes() == []


def test_a_new_account_without_any_object_has_no_finding(
    sandbox: Sandbox, healthy: Sandbox, items: Items
) -> None:
    for name in ("transactions", "customers"):
        for row in sandbox.objects(name, "test"):
            sandbox.remove(name, row["key"], mode="test")
    assert items()["Mode"].state == "ok"
    assert "No object of PartnerStack shows yet" in items()["Mode"].text


def test_wrong_keys(healthy: Sandbox, codes: Codes, settings: Any) -> None:
    settings.PARTNERSTACK_SECRET_KEY = PRODUCTION_KEYS[1]
    assert codes() == ["keys-rejected"]
    settings.PARTNERSTACK_SECRET_KEY = TEST_KEYS[1]
    assert codes() == []


def test_no_keys(healthy: Sandbox, codes: Codes, settings: Any) -> None:
    settings.PARTNERSTACK_PUBLIC_KEY = settings.PARTNERSTACK_SECRET_KEY = ""
    assert codes() == ["keys-missing"]


def test_swapped_keys_are_named_by_the_system_check(healthy: Sandbox, codes: Codes, settings: Any) -> None:
    settings.PARTNERSTACK_PUBLIC_KEY, settings.PARTNERSTACK_SECRET_KEY = TEST_KEYS[::-1]
    assert codes() == ["partnerstack.E002"]


def test_keys_of_the_other_mode(healthy: Sandbox, codes: Codes, settings: Any) -> None:
    settings.PARTNERSTACK_MODE = "production"
    Worker.objects.create(mode="production")
    assert codes() == ["mode-mismatch"]
    SyncState.objects.create(mode="production", resource="customers", test_seen_at=timezone.now())
    assert codes() == ["mode-mismatch"]


def test_keys_that_were_corrected_are_not_blamed_for_what_was_seen_before(
    healthy: Sandbox, codes: Codes
) -> None:
    SyncState.objects.create(mode="test", resource="customers", production_seen_at=timezone.now())
    assert codes() == []


def test_the_service_is_down(healthy: Sandbox, codes: Codes, settings: Any, free_port: int) -> None:
    settings.PARTNERSTACK_API_URL = f"http://127.0.0.1:{free_port}/api/v2"
    assert codes() == ["partnerstack-unreachable"]


@pytest.mark.parametrize("fault", [{"kind": "status", "status": 503}, {"kind": "html"}, {"kind": "reset"}])
def test_the_service_fails(healthy: Sandbox, codes: Codes, fault: dict[str, Any]) -> None:
    healthy.faults.add(**fault)
    assert codes() == ["partnerstack-failing"]


def test_a_service_that_never_answers_takes_no_longer_than_the_deadline(
    healthy: Sandbox, codes: Codes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(answers, "SECONDS", 0.3)
    healthy.faults.add("latency", seconds=5)
    began = time.monotonic()
    assert codes() == ["partnerstack-failing"]
    assert time.monotonic() - began < 5


def test_an_address_that_is_not_partnerstack(healthy: Sandbox, codes: Codes, settings: Any) -> None:
    settings.PARTNERSTACK_API_URL = settings.PARTNERSTACK_API_URL.replace("/api/v2", "/api/v3")
    assert codes() == ["not-partnerstack"]


def test_resources_without_permission_are_named_and_the_others_are_read(
    healthy: Sandbox, items: Items
) -> None:
    healthy.behaviour.forbidden = ("deals", "leads")
    [finding] = items()["Permissions"].findings
    assert finding.sentence == "The keys have no permission to read deals, leads."
    assert "customers" in items()["Permissions"].text


def test_keys_without_any_permission(healthy: Sandbox, codes: Codes) -> None:
    healthy.faults.add("status", status=403)
    assert codes() == ["keys-forbidden"]


def test_one_list_that_fails_stops_no_other(healthy: Sandbox, items: Items) -> None:
    healthy.faults.add("status", status=500, path="/api/v2/deals")
    healthy.faults.add("reset", path="/api/v2/links")
    found = items()
    names = [finding.sentence.split(":")[0] for finding in found["Permissions"].findings]
    assert names == ["PartnerStack did not return deals", "PartnerStack did not return links"]
    assert found["Mode"].state == "ok"


@pytest.mark.parametrize("seconds", [400, -400])
def test_a_clock_that_is_off(healthy: Sandbox, items: Items, codes: Codes, seconds: int) -> None:
    healthy.behaviour.clock_offset = seconds
    assert codes() == ["clock-off"]
    [finding] = items()["Clock"].findings
    assert f"{-seconds:+}" in finding.sentence or f"{-seconds + 1:+}" in finding.sentence


def test_a_clock_that_is_off_by_seconds_is_fine(healthy: Sandbox, codes: Codes) -> None:
    healthy.behaviour.clock_offset = 40
    assert codes() == []


def test_no_webhooks(healthy: Sandbox, codes: Codes, settings: Any) -> None:
    settings.PARTNERSTACK_WEBHOOK_SECRETS = [SECRET]
    assert codes() == ["webhooks-unregistered"]
    register(healthy, "https://www.example.com/partnerstack/webhooks/another-secret/")
    assert codes() == ["webhooks-unregistered"]


def test_webhooks_to_a_site_that_is_not_there(
    healthy: Sandbox, items: Items, settings: Any, free_port: int
) -> None:
    settings.PARTNERSTACK_WEBHOOK_SECRETS = [SECRET]
    register(healthy, f"http://127.0.0.1:{free_port}/partnerstack/webhooks/{SECRET}/")
    [finding] = items()["Webhook URL"].findings
    assert finding.code == "webhooks-unreachable"
    assert "refused" in finding.sentence.lower()
    assert SECRET not in finding.sentence


def test_webhooks_to_a_path_that_the_site_does_not_have(
    healthy: Sandbox, site_url: str, items: Items, settings: Any
) -> None:
    settings.PARTNERSTACK_WEBHOOK_SECRETS = [SECRET]
    register(healthy, f"{site_url}/elsewhere/partnerstack/webhooks/{SECRET}/")
    [finding] = items()["Webhook URL"].findings
    assert "GET was answered with HTTP 404" in finding.sentence


def test_webhooks_that_something_in_front_of_the_view_refuses(
    healthy: Sandbox, items: Items, settings: Any, request: pytest.FixtureRequest
) -> None:
    settings.PARTNERSTACK_WEBHOOK_SECRETS = [SECRET]
    settings.MIDDLEWARE = ["tests.insight.doctor.middleware.firewall", *settings.MIDDLEWARE]
    url = request.getfixturevalue("site_url")
    register(healthy, f"{url}/partnerstack/webhooks/{SECRET}/")
    [finding] = items()["Webhook URL"].findings
    assert "POST was answered with HTTP 403: something in front of the view refuses it." in finding.sentence


def test_asking_the_site_stores_nothing(with_webhooks: Sandbox, codes: Codes) -> None:
    assert codes() == []
    assert not WebhookEvent.objects.exists()
    assert not WebhookCounter.objects.exists()


def test_a_wrong_cookie_domain(healthy: Sandbox, codes: Codes, settings: Any) -> None:
    settings.PARTNERSTACK_ATTRIBUTION_DOMAIN = ".another.example"
    assert codes() == ["partnerstack.W007"]


def test_a_middleware_in_the_wrong_place(healthy: Sandbox, codes: Codes, settings: Any) -> None:
    cache = "django.middleware.cache.FetchFromCacheMiddleware"
    settings.MIDDLEWARE = [cache, *settings.MIDDLEWARE]
    assert codes() == ["partnerstack.W006"]


def test_the_partners_links_and_who_reads_their_parameters(
    healthy: Sandbox, items: Items, settings: Any
) -> None:
    text = items()["Partner links"].text
    assert text.startswith(
        "They lead to www.example.com. AttributionMiddleware reads ps_xid and ps_partner_key"
    )
    settings.MIDDLEWARE = [path for path in settings.MIDDLEWARE if "partnerstack" not in path]
    assert "AttributionMiddleware is not installed" in items()["Partner links"].text


def test_no_worker(healthy: Sandbox, codes: Codes) -> None:
    Worker.objects.all().delete()
    OutboxLane.objects.create(
        mode="test", key="customer:a", due_at=timezone.now() - timedelta(hours=2), status="open"
    )
    assert codes() == ["no-worker"]


def test_objects_that_were_never_reported(healthy: Sandbox, items: Items) -> None:
    account = Account(email="ada@example.com")
    Account.objects.bulk_create([account])
    [finding] = items()["Sources"].findings
    assert finding.sentence == "None of the objects of shop.Account was ever reported."
    assert "partnerstack_backfill shop.Account" in finding.advice
    Account.objects.get().save()
    Payment.objects.bulk_create([Payment(account=Account.objects.get(), total=1)])
    [finding] = items()["Sources"].findings
    assert "shop.Payment" in finding.sentence
    Payment.objects.get().save()
    assert items()["Sources"].state == "ok"


def test_the_examination_leaves_nothing_behind(with_webhooks: Sandbox, codes: Codes) -> None:
    before = {name: with_webhooks.objects(name) for name in ("customers", "transactions", "webhooks")}
    codes()
    assert {name: with_webhooks.objects(name) for name in before} == before
    assert not with_webhooks.effects
    assert not OutboxMessage.objects.exists()
    assert not Customer.objects.exists()
    assert not SyncState.objects.exists()


def test_tables_that_were_not_migrated(healthy: Sandbox, codes: Codes) -> None:
    MigrationRecorder(connection).record_unapplied("partnerstack", "0001_initial")
    assert codes() == ["tables-missing"]


class Broken:
    """A router with a bug."""

    def db_for_write(self, model: Any, **hints: Any) -> str | None:
        raise KeyError("no such router")


class Elsewhere:
    """A router to another database."""

    def db_for_read(self, model: Any, **hints: Any) -> str:
        return "elsewhere"

    db_for_write = db_for_read


def test_a_database_that_does_not_answer(
    sandbox: Sandbox,
    items: Items,
    settings: Any,
    tmp_path: Path,
    django_db_setup: None,
    django_db_blocker: Any,
) -> None:
    settings.PARTNERSTACK_PUBLIC_KEY, settings.PARTNERSTACK_SECRET_KEY = TEST_KEYS
    settings.DATABASE_ROUTERS = [Elsewhere()]
    missing = {**connections.settings["default"], "ENGINE": "django.db.backends.sqlite3", "OPTIONS": {}}
    connections.settings["elsewhere"] = {**missing, "NAME": str(tmp_path / "no" / "folder" / "db.sqlite3")}
    try:
        with django_db_blocker.unblock(), sandbox.serve() as server:
            settings.PARTNERSTACK_API_URL = f"{server.url}/api/v2"
            found = items()
    finally:
        del connections.settings["elsewhere"]
        connections["default"].close()
    assert [finding.code for item in found.values() for finding in item.findings] == ["database-silent"]
    assert found["Keys"].state == found["Clock"].state == "ok"


def test_a_part_that_fails_is_a_finding_and_stops_no_other(
    healthy: Sandbox, codes: Codes, settings: Any
) -> None:
    settings.DATABASE_ROUTERS = [Broken()]
    assert set(codes()) == {"not-examined"}
