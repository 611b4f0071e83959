"""
Whatever happens to deliveries and workers, an incremental sync makes the mirror equal to PartnerStack.

A fifth of the deliveries is lost, a fifth is doubled, all are reordered; objects change while they are read,
and workers are killed between any two requests.
"""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import Any

import pytest

from django_partnerstack.models import WebhookEvent
from django_partnerstack.resources import RESOURCES, Resource
from django_partnerstack.sandbox import Sandbox
from django_partnerstack.sync import pull
from django_partnerstack.webhooks.normalise import EVENTS
from tests.lengths import by_length

from .conftest import SECRET, Site, post

CHANGES = by_length(quick=100, usual=200, long=2_000)
KILLS = by_length(quick=5, usual=5, long=10)
SEEDS = by_length(quick=1, usual=2, long=5)

pytestmark = pytest.mark.django_db


class Killed(BaseException):
    """The end of a process: no handler of errors runs."""


class World:
    """Changes at PartnerStack, their deliveries, and a worker that is killed now and then."""

    def __init__(self, site: Site, seed: int) -> None:
        self.site = site
        self.sandbox = site.sandbox
        self.random = Random(seed)
        self.changes = CHANGES
        self.kills = KILLS
        self.is_working = False
        handle = self.sandbox.handle

        def handle_and_go_on(*args: Any) -> Any:
            reply = handle(*args)
            if self.is_working:
                self.go_on()
            return reply

        # Something may happen after PartnerStack answered and before the answer is stored.
        self.sandbox.handle = handle_and_go_on  # type: ignore[method-assign]

    def go_on(self) -> None:
        """What happens while a worker waits for PartnerStack."""
        while self.random.random() < 0.3:
            self.change()
        if self.kills and self.random.random() < 0.2:
            self.kills -= 1
            raise Killed

    def change(self) -> None:
        """Something changes at PartnerStack."""
        self.site.clock.move(milliseconds=self.random.randrange(1, 400))
        if not self.changes:
            return
        self.changes -= 1
        name = self.random.choice(("partnerships", "customers", "deals", "leads"))
        key = self.random.choice(self.sandbox.objects(name, include_archived=True))["key"]
        text = f"{self.random.randrange(5)}"
        kind = self.random.random()
        if kind < 0.1:
            self.sandbox.create(self.random.choice(("customers", "transactions", "deals")))
        elif name == "partnerships" and kind < 0.3:
            self.sandbox.change(name, key, archived=self.random.random() < 0.5)
        else:
            field = {"partnerships": "first_name", "customers": "name", "deals": "account_name"}
            self.sandbox.change(name, key, **{field.get(name, "external_key"): text})

    def step(self) -> None:
        """Time passes, deliveries arrive, a worker works."""
        for _ in range(self.random.randrange(4)):
            self.change()
        self.sandbox.deliveries.deliver_due()
        if self.random.random() < 0.5:
            self.work()

    def work(self) -> None:
        self.is_working = True
        try:
            self.site.process(limit=self.random.choice((1, 5, 100)))
        except Killed:
            # Another process takes over.
            pass
        finally:
            self.is_working = False


def resources() -> Iterator[Resource]:
    return (RESOURCES[name] for name in ("partnerships", "customers", "transactions", "deals", "leads"))


def at_partnerstack(sandbox: Sandbox, resource: Resource) -> dict[str, dict[str, Any]]:
    """The columns of each object. Not the statistics of a partner, which change without its time."""
    items = sandbox.objects(resource.name, include_archived=resource.name == "partnerships")
    return {item["key"]: columns(resource.record.from_api(item)) for item in items}


def columns(record: Any) -> dict[str, Any]:
    left_out = ("raw", "created_at", "updated_at")
    return {name: getattr(record, name) for name in record.__dataclass_fields__ if name not in left_out}


def in_the_mirror(resource: Resource) -> dict[str, dict[str, Any]]:
    rows = resource.model._default_manager.filter(missing_since=None)
    return {row.key: columns(resource.record.from_api(row.raw)) for row in rows}


@pytest.mark.parametrize("shape", ["enveloped", "flat"])
@pytest.mark.parametrize("seed", range(SEEDS))
def test_the_mirror_equals_partnerstack_after_an_incremental_sync(site: Site, seed: int, shape: str) -> None:
    names = "dotted" if shape == "enveloped" else "underscore"
    site.sandbox.behaviour.change(
        webhook_lost=0.2, webhook_doubled=0.2, webhook_reordered=1, webhook_body=shape, webhook_names=names
    )
    sync(site)
    register(site)
    world = World(site, seed)
    while world.changes:
        world.step()
    assert world.kills < KILLS
    site.clock.move(minutes=5)
    site.sandbox.deliveries.deliver_due()
    site.process_all()
    assert set(WebhookEvent.objects.values_list("state", flat=True)) == {"done"}
    sync(site)
    for resource in resources():
        assert in_the_mirror(resource) == at_partnerstack(site.sandbox, resource), resource.name


@pytest.mark.parametrize("shape", ["enveloped", "flat"])
def test_without_loss_no_sync_is_needed(site: Site, shape: str) -> None:
    site.sandbox.behaviour.change(webhook_doubled=0.2, webhook_reordered=1, webhook_body=shape)
    sync(site)
    register(site)
    world = World(site, 0)
    while world.changes:
        world.step()
    site.clock.move(minutes=5)
    site.sandbox.deliveries.deliver_due()
    site.process_all()
    for resource in resources():
        assert in_the_mirror(resource) == at_partnerstack(site.sandbox, resource), resource.name


def register(site: Site) -> None:
    site.sandbox.deliveries.send = lambda url, content: post(content).status_code
    events = [*EVENTS, "transaction.created"]
    site.sandbox.create(
        "webhooks", target_url=f"http://127.0.0.1/partnerstack/webhooks/{SECRET}/", events=events
    )


def sync(site: Site) -> None:
    for resource in resources():
        pull(resource.name, client=site.client, mode="test", now=site.clock.now)
