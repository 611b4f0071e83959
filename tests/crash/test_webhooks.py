"""Workers are killed while they process webhooks of which some are lost, doubled and reordered."""

from __future__ import annotations

import signal
from random import Random
from types import SimpleNamespace

import pytest
from django.db import connection
from django.utils import timezone

from django_partnerstack.connection import get_client
from django_partnerstack.models import WebhookEvent, WebhookState
from django_partnerstack.sandbox import TEST_KEYS, Sandbox
from django_partnerstack.sync import pull
from django_partnerstack.webhooks.normalise import EVENTS
from tests.webhooks.test_chaos import World, at_partnerstack, in_the_mirror, resources

from .conftest import LONG
from .processes import Family, moment, until
from .worker import service_with_short_webhook_leases

CHANGES, KILLS, MINUTES = (2_000, 10, 20) if LONG else (200, 4, 3)
SECRET = "canary-0123456789-0123456789-0123456789"


class Programme(Sandbox):
    """A sandbox that counts the objects that were read one by one, and takes a moment for each."""

    def __init__(self) -> None:
        super().__init__(partnerships=20, customers=40, transactions=4, deals=20, leads=20)
        self.reads = 0

    def handle(self, method, target, headers, body=b""):
        self.reads += method == "GET" and target.partition("?")[0].count("/") == 4
        return super().handle(method, target, headers, body)


@pytest.fixture
def partnerstack(settings, live_server):
    """PartnerStack with an endpoint of the site, which is served by this process."""
    settings.PARTNERSTACK_WEBHOOK_SECRETS = [SECRET]
    settings.PARTNERSTACK_PUBLIC_KEY, settings.PARTNERSTACK_SECRET_KEY = TEST_KEYS
    settings.PARTNERSTACK_REQUESTS_PER_MINUTE = 600_000
    programme = Programme()
    programme.behaviour.change(webhook_lost=0.2, webhook_doubled=0.2, webhook_reordered=1)
    with programme.serve() as server:
        settings.PARTNERSTACK_API_URL = f"{server.url}/api/v2"
        programme.create(
            "webhooks", target_url=f"{live_server.url}/partnerstack/webhooks/{SECRET}/", events=[*EVENTS]
        )
        yield programme


@pytest.fixture
def start(partnerstack, settings, tmp_path):
    """Starts a worker that does nothing but process webhooks."""
    family = Family(
        tmp_path,
        dict(connection.settings_dict),
        PARTNERSTACK_API_URL=settings.PARTNERSTACK_API_URL,
        PARTNERSTACK_WEBHOOK_SECRETS=[SECRET],
        PARTNERSTACK_PUSH_ENABLED=False,
        PARTNERSTACK_SYNC_EVERY=0,
    )
    yield lambda: family.start(service_with_short_webhook_leases)
    family.end()


def sync(full=False):
    with get_client() as client:
        for resource in resources():
            pull(resource.name, client=client, mode="test", now=timezone.now, full=full)


def test_workers_are_killed_and_a_sync_makes_the_mirror_equal_to_partnerstack(partnerstack, start, show):
    sync()
    world = World(SimpleNamespace(sandbox=partnerstack, clock=SimpleNamespace(move=lambda **_: None)), 3)
    world.changes, random, claimed = CHANGES, Random(3), []
    for _ in range(KILLS):
        worker, began = start(), partnerstack.reads
        for _ in range(CHANGES // (KILLS + 1)):
            world.change()
        until(lambda began=began: partnerstack.reads > began, seconds=60, what="the worker reads an object")
        # At once, until a worker was killed in the middle of its events; then at random.
        moment(random.random() if any(claimed) else 0)
        worker.send(signal.SIGKILL)
        assert worker.wait(5) == -signal.SIGKILL, worker.said
        claimed.append(WebhookEvent.objects.exclude(lease_token="").count())
    workers = [start(), start()]
    while world.changes:
        world.change()
    open_events = WebhookEvent.objects.filter(state=WebhookState.RECEIVED)
    until(
        lambda: not partnerstack.deliveries.pending and not open_events.exists(),
        seconds=60 * MINUTES,
        what="all events are processed",
    )
    for worker in workers:
        worker.send(signal.SIGTERM)
    assert [worker.wait(20) for worker in workers] == [0, 0]
    states = set(WebhookEvent.objects.values_list("state", flat=True))
    number, times = WebhookEvent.objects.count(), len(partnerstack.deliveries.ended)
    show(
        f"{CHANGES} changes, {times} deliveries, {number} events, {partnerstack.reads} reads; "
        f"{KILLS} SIGKILLs left {claimed} claimed events"
    )
    assert {delivery.status for delivery in partnerstack.deliveries.ended} == {200}
    assert any(claimed)
    assert states == {"done"}
    sync()
    for resource in resources():
        # The statistics of a partner change without its time, so only a full sync reads them.
        differing = [each for each in differences(partnerstack, resource) if each[1] != "stats"]
        assert differing == [], resource.name
    sync(full=True)
    for resource in resources():
        assert differences(partnerstack, resource) == [], resource.name


def differences(partnerstack, resource):
    """The columns that differ, with the value in the mirror and the one at PartnerStack."""
    mirror, truth = in_the_mirror(resource), at_partnerstack(partnerstack, resource)
    assert mirror.keys() == truth.keys()
    return [
        (key, name, mirror[key][name], value)
        for key, columns in truth.items()
        for name, value in columns.items()
        if mirror[key][name] != value
    ]
