"""
Situations that were broken on purpose: the status and the doctor each name the cause in one sentence with the
right mend, and nothing else.

``SITUATIONS`` is the table. The status looks at this site's database alone; the doctor also asks PartnerStack
and looks at the settings, so some situations are the doctor's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.utils import timezone

from django_partnerstack import sources, status, track
from django_partnerstack.dispatch.jobs import sync_all
from django_partnerstack.insight.doctor import examine
from django_partnerstack.models import (
    Customer,
    OutboxLane,
    OutboxMessage,
    State,
    SyncState,
    ThrottleState,
    Transaction,
    Worker,
)
from django_partnerstack.outbox.push import worker
from django_partnerstack.sandbox import PRODUCTION_KEYS, TEST_KEYS, Sandbox
from django_partnerstack.throttle.throttle import site_throttle
from tests.insight.doctor.conftest import SECRET, free_port, healthy, sandbox
from tests.outbox.site import account, payment
from tests.shop.models import Account

__all__ = ["free_port", "healthy", "sandbox"]


class Site:
    """A site that works: it has delivered and synced, and its worker runs."""

    def __init__(self, partnerstack: Sandbox, settings: Any, free_port: int) -> None:
        self.partnerstack = partnerstack
        self.settings = settings
        self.free_port = free_port
        self.monkeypatch = pytest.MonkeyPatch()
        Worker.objects.update(started_at=ago(days=3))
        self.customer = account()
        self.payment = payment(self.customer)
        self.deliver()
        sync_all()

    def deliver(self) -> None:
        worker(threads=1).run()

    def make_due_since(self, **span: float) -> None:
        OutboxMessage.objects.filter(state=State.QUEUED).update(queued_at=ago(**span))
        OutboxLane.objects.filter(due_at__isnull=False).update(due_at=ago(**span))


def ago(**span: float) -> Any:
    return timezone.now() - timedelta(**span)


def no_worker(site: Site) -> None:
    """Nothing is delivered, and nothing is synced either."""
    Worker.objects.update(seen_at=ago(hours=2))
    SyncState.objects.update(completed_at=ago(hours=2))
    payment(site.customer)
    site.make_due_since(hours=2)


def wrong_keys(site: Site) -> None:
    site.settings.PARTNERSTACK_SECRET_KEY = PRODUCTION_KEYS[1]
    payment(site.customer)
    site.deliver()


def keys_repaired(site: Site) -> None:
    wrong_keys(site)
    site.settings.PARTNERSTACK_SECRET_KEY = TEST_KEYS[1]


def service_down(site: Site) -> None:
    site.settings.PARTNERSTACK_API_URL = f"http://127.0.0.1:{site.free_port}/api/v2"
    payment(site.customer)
    site.deliver()
    ThrottleState.objects.update(failing_since=ago(minutes=5))


def breaker_open(site: Site) -> None:
    throttle = site_throttle("test")
    for number in range(20):
        throttle.requests.add(failed=number < 18, reason="POST /transactions: 503")
    with throttle.locked():
        pass


def sync_stale(site: Site) -> None:
    SyncState.objects.update(completed_at=ago(hours=5))


def sync_failing(site: Site) -> None:
    site.partnerstack.behaviour.forbidden = ("deals",)
    SyncState.objects.filter(resource="deals").update(completed_at=ago(hours=5))
    with pytest.raises(Exception, match="403"):
        sync_all()


def source_failing(site: Site) -> None:
    site.monkeypatch.setitem(sources.customers, Account, lambda account: account.no_such_field)
    account(email="b@customers.example")


def unknown_customer(site: Site) -> None:
    from django.contrib.auth.models import User

    track.purchase(User.objects.create(username="ada"), amount=4900, currency="USD", key="inv_1")
    site.deliver()


def wrong_mode(site: Site) -> None:
    site.settings.PARTNERSTACK_PUBLIC_KEY, site.settings.PARTNERSTACK_SECRET_KEY = PRODUCTION_KEYS
    site.partnerstack.create("customers", mode="production", key="cus_1", customer_key="a-1")
    SyncState.objects.update(test_seen_at=ago(hours=3))
    sync_all()


def no_webhooks(site: Site) -> None:
    site.settings.PARTNERSTACK_WEBHOOK_SECRETS = [SECRET]
    site.partnerstack.change("customers", Customer.objects.all()[0].key, name="New name")
    sync_all()


def wrong_cookie_domain(site: Site) -> None:
    site.settings.PARTNERSTACK_ATTRIBUTION_DOMAIN = ".another.example"


def clock_off(site: Site) -> None:
    site.partnerstack.behaviour.clock_offset = -400


def double_reporting(site: Site) -> None:
    """Another integration has reported the same payment, and a sync has found it."""
    reported = Transaction.objects.get(key=f"payment-{site.payment.pk}")
    reported.pk, reported.key = None, "ch_1"
    reported.save()


def message_failed(site: Site) -> None:
    site.partnerstack.faults.add("status", status=400, method="POST", times=1)
    payment(site.customer)
    site.deliver()


@dataclass(frozen=True)
class Situation:
    """
    ``status`` and ``doctor``: the code that each names; empty if it cannot know. ``mend``: what to do.
    """

    breaks: Callable[[Site], None]
    status: str
    doctor: str
    mend: str = ""


SITUATIONS = [
    Situation(no_worker, "no-worker", "no-worker", "Run partnerstack_worker as a service"),
    Situation(wrong_keys, "keys-rejected", "keys-rejected", "Copy the test key pair again"),
    Situation(keys_repaired, "", ""),
    Situation(service_down, "requests-failing", "partnerstack-unreachable", "PARTNERSTACK_API_URL"),
    Situation(breaker_open, "delivery-paused", "delivery-paused", "resumes by itself"),
    Situation(sync_stale, "sync-stale", "sync-stale", "Run partnerstack_worker as a service"),
    Situation(sync_failing, "sync-failing", "resources-forbidden", "doctor|ask PartnerStack"),
    Situation(source_failing, "source-errors", "source-errors", "choose Report again"),
    Situation(
        unknown_customer, "customers-unreported", "customers-unreported", "report them with track.signup"
    ),
    Situation(wrong_mode, "mode-mismatch", "mode-mismatch", "Set the test key pair"),
    Situation(
        no_webhooks, "webhooks-silent", "webhooks-unregistered", "partnerstack_doctor|partnerstack_webhooks"
    ),
    Situation(wrong_cookie_domain, "", "partnerstack.W007", "Set a domain that the hosts share"),
    Situation(clock_off, "", "clock-off", "NTP"),
    Situation(message_failed, "messages-failed", "messages-failed", "Read the reason in the admin"),
    Situation(double_reporting, "reported-twice", "reported-twice", "let only one integration report"),
]


@pytest.fixture
def site(healthy: Sandbox, settings: Any, free_port: int) -> Iterator[Site]:
    settings.ALLOWED_HOSTS = ["testserver", "www.example.com"]
    site = Site(healthy, settings, free_port)
    yield site
    site.monkeypatch.undo()


def named_by_status() -> list[status.Finding]:
    return list(status.health().findings)


def named_by_doctor() -> list[status.Finding]:
    return [finding for item in examine() for finding in item.findings]


def test_a_healthy_site_has_no_finding(site: Site) -> None:
    assert [named_by_status(), named_by_doctor()] == [[], []]


@pytest.mark.parametrize("situation", SITUATIONS, ids=lambda situation: situation.breaks.__name__)
def test_the_status_names_the_cause_and_nothing_else(site: Site, situation: Situation) -> None:
    situation.breaks(site)
    assert_named(named_by_status(), situation.status, situation.mend)


@pytest.mark.parametrize("situation", SITUATIONS, ids=lambda situation: situation.breaks.__name__)
def test_the_doctor_names_the_cause_and_nothing_else(site: Site, situation: Situation) -> None:
    situation.breaks(site)
    assert_named(named_by_doctor(), situation.doctor, situation.mend)


def assert_named(found: list[status.Finding], code: str, mend: str) -> None:
    assert [finding.code for finding in found] == ([code] if code else []), found
    for finding in found:
        assert any(words in finding.advice for words in mend.split("|")), finding.advice


def test_repaired_keys_deliver_what_waited(site: Site) -> None:
    keys_repaired(site)
    site.deliver()
    assert status.health().queue.by_state["delivered"] == 3


@pytest.mark.django_db(transaction=True)
def test_tables_that_are_missing_are_named_by_both(healthy: Sandbox) -> None:
    call_command("migrate", "partnerstack", "zero", verbosity=0)
    try:
        assert_named(named_by_status(), "tables-missing", "migrate partnerstack")
        assert_named(named_by_doctor(), "tables-missing", "migrate partnerstack")
    finally:
        call_command("migrate", "partnerstack", verbosity=0)
