"""What the worker does with events: reads again, syncs, retries, and signals."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
import requests

from django_partnerstack.exceptions import DeliveryPaused
from django_partnerstack.models import Customer, Partnership, Transaction, WebhookEvent
from django_partnerstack.resources import RESOURCES
from django_partnerstack.signals import objects_synced, webhook_processed
from django_partnerstack.sync import pull
from django_partnerstack.webhooks.process import next_due
from django_partnerstack.webhooks.queue import LEASE, claim

from .conftest import SAMPLES, Site

pytestmark = pytest.mark.django_db

Calls = list[dict[str, Any]]

#: sample: the path of the first request to PartnerStack, and the states after it.
FIRST_REQUESTS = {
    "odd.unknown_event": None,
    "postback.action_created": "/actions",
    "postback.customer.created": "/customers/cus_Ex4mple0Cust01",
    "postback.test": None,
    "postback.transaction.created": "/transactions",
    "v1.application_created": "/partnerships",
    "v1.application_declined": "/partnerships",
    "v1.customer_updated": "/customers/customer_a1xlr0s3",
    "v1.partnership_created": "/partnerships/janeexample",
    "v1.partnership_deleted": "/partnerships/janeexample",
    "v2.agreement.accepted.flat": "/partnerships",
    "v2.deal.created": "/deals/deal_Ex4mple0Deal1",
    "v2.lead.updated": "/leads/lead_Ex4mple0Lead1",
    "v2.partnership.created.underscore": "/partnerships/janeexample",
    "v2.partnership.updated": "/partnerships/janeexample",
}


@pytest.mark.parametrize("name", SAMPLES)
def test_every_sample_causes_the_right_read(site: Site, processed: Calls, name: str) -> None:
    site.deliver(SAMPLES[name]["body"])
    site.process()
    assert (site.reads or [None])[0] == FIRST_REQUESTS[name]
    site.process_all()
    event = WebhookEvent.objects.get()
    assert event.state == ("ignored" if FIRST_REQUESTS[name] is None else "done")
    assert len(processed) == 1


@pytest.mark.parametrize("name", SAMPLES)
def test_every_sample_updates_the_mirror(site: Site, processed: Calls, name: str) -> None:
    """PartnerStack has the objects that the samples name."""
    create_the_objects_of_the_samples(site)
    site.deliver(SAMPLES[name]["body"])
    site.process()
    if FIRST_REQUESTS[name] is None:
        assert processed[0]["row"] is None
        return
    row = processed[0]["row"]
    known = {row.key, *(getattr(row, name, None) for name in ("partner_key", "customer_key", "email"))}
    assert known & {processed[0]["key"], "jane@partners.example", "janeexample"}


def create_the_objects_of_the_samples(site: Site) -> None:
    create = site.sandbox.create
    jane = {"partner_key": "janeexample", "email": "jane@partners.example"}
    create("partnerships", key="part_Ex4mple0Part02", **jane)
    create("customers", key="cus_Ex4mple0Cust01", customer_key="pat")
    create("customers", customer_key="customer_a1xlr0s3")
    create("transactions", key="ch_Example0000000000000001")
    create("deals", key="deal_Ex4mple0Deal1")
    create("leads", key="lead_Ex4mple0Lead1")
    create("actions", key="act_Ex4mple0Actn01")


def test_a_partner_that_was_moved_is_known_to_the_mirror_and_to_receivers(
    site: Site, processed: Calls
) -> None:
    partner = site.sandbox.objects("partnerships")[0]
    group = site.sandbox.create("groups", name="Gold")
    site.sandbox.change("partnerships", partner["key"], group_key=group["key"])
    synced: Calls = []
    objects_synced.connect(lambda **call: synced.append(call), weak=False, dispatch_uid="test")
    try:
        site.event("partnership_group_updated", partner["key"])
        assert site.process() == 1
    finally:
        objects_synced.disconnect(dispatch_uid="test")
    row = Partnership.objects.get(key=partner["key"])
    assert row.group_key == group["key"]
    assert [call["created"] for call in synced] == [[partner["key"]]]
    [call] = processed
    assert call == {
        "event": "partnership.group_updated",
        "mode": "test",
        "kind": "partnership",
        "key": partner["key"],
        "row": row,
    }
    event = WebhookEvent.objects.get()
    assert (event.state, event.due_at, event.done_at) == ("done", None, site.clock.now())


def test_the_content_of_an_event_is_never_believed(site: Site) -> None:
    customer = site.sandbox.objects("customers")[0]
    site.event("customer.updated", customer["key"], name="Forged", email="forged@evil.example")
    site.process()
    assert Customer.objects.get().name == customer["name"]


def test_events_of_one_object_are_read_once_and_each_is_signalled(site: Site, processed: Calls) -> None:
    key = site.sandbox.objects("customers")[0]["key"]
    for number in range(5):
        site.event("customer.updated", key, updated_at=number)
    assert site.process() == 5
    assert site.reads == [f"/customers/{key}"]
    assert (len(processed), site.slots) == (5, 1)


def test_events_that_name_an_object_by_different_keys_are_read_once(site: Site) -> None:
    pull("partnerships", client=site.client, mode="test", now=site.clock.now)
    site.adapter.requests.clear()
    partner = site.sandbox.objects("partnerships")[0]
    site.event("partnership.updated", partner["key"])
    site.deliver({"event": "partnership_updated", "partner_key": partner["partner_key"]})
    site.deliver({"event": "partnership.tags_updated", "email": partner["email"]})
    assert site.process() == 3
    assert site.reads == [f"/partnerships/{partner['key']}"]


def test_a_partner_whose_key_has_changed_is_found_by_its_address(site: Site) -> None:
    partner = site.sandbox.objects("partnerships")[0]
    site.deliver({"event": "partnership_updated", "partner_key": "old", "email": partner["email"]})
    site.process()
    assert Partnership.objects.get().key == partner["key"]


def test_a_customer_is_read_by_the_sites_key_where_paths_accept_no_other(site: Site) -> None:
    pull("customers", client=site.client, mode="test", now=site.clock.now)
    site.sandbox.behaviour.customer_paths = ["external"]
    customer = site.sandbox.objects("customers")[0]
    site.sandbox.change("customers", customer["key"], name="New")
    site.event("customer.updated", customer["key"])
    site.process()
    assert Customer.objects.get(key=customer["key"]).name == "New"


def test_a_read_that_is_older_than_the_row_writes_nothing(site: Site) -> None:
    customer = site.sandbox.objects("customers")[0]
    site.event("customer.updated", customer["key"])
    site.process()
    Customer.objects.update(name="Newer", remote_updated_at=site.clock.now() + timedelta(seconds=1))
    site.event("customer.updated", customer["key"], updated_at=2)
    site.process()
    assert Customer.objects.get().name == "Newer"


def test_a_row_that_partnerstack_no_longer_has_is_marked_as_missing(site: Site, processed: Calls) -> None:
    pull("customers", client=site.client, mode="test", now=site.clock.now)
    key = site.sandbox.objects("customers")[0]["key"]
    site.sandbox.remove("customers", key)
    site.event("customer.deleted", key)
    site.process()
    assert Customer.objects.get(key=key).missing_since == site.clock.now()
    assert processed[0]["row"].missing_since is not None
    assert "marked as missing" in WebhookEvent.objects.get().reason


def test_a_row_that_partnerstack_has_archived_is_archived(site: Site) -> None:
    pull("partnerships", client=site.client, mode="test", now=site.clock.now)
    key = site.sandbox.objects("partnerships")[0]["key"]
    site.sandbox.change("partnerships", key, archived=True)
    site.event("partnership_deleted", key)
    site.process()
    assert Partnership.objects.get(key=key).archived


def test_an_event_that_arrives_before_its_object_is_readable_is_tried_again(
    site: Site, processed: Calls
) -> None:
    site.sandbox.behaviour.read_lag = 300
    # Only what a request creates has a lag.
    created = site.client.customers.create(
        email="new@shop.example", partner_key="gstest", customer_key="account-9"
    )
    site.event("customer.created", created.key)
    site.process()
    event = WebhookEvent.objects.get()
    assert (event.state, event.attempts, event.reason) == ("received", 1, "PartnerStack has no such object.")
    assert not processed
    site.process_all()
    assert Customer.objects.get().key == created.key
    assert processed[0]["row"].customer_key == "account-9"


def test_a_new_customer_whose_row_exists_is_not_marked_as_missing_because_of_the_lag(site: Site) -> None:
    site.sandbox.behaviour.read_lag = 300
    created = site.client.customers.create(
        email="new@shop.example", partner_key="gstest", customer_key="account-9"
    )
    Customer.objects.create(mode="test", key=created.key, remote_created_at=site.clock.now())
    site.event("customer.created", created.key)
    site.process()
    assert Customer.objects.get().missing_since is None
    site.process_all()
    assert Customer.objects.get().missing_since is None


def test_an_object_that_never_becomes_readable_ends_after_minutes(site: Site, processed: Calls) -> None:
    site.event("customer.created", "cus_nobody")
    site.process_all()
    event = WebhookEvent.objects.get()
    assert (event.state, event.reason) == ("done", "PartnerStack has no such object.")
    assert timedelta(minutes=15) <= event.done_at - event.first_received_at <= timedelta(minutes=30)
    assert processed[0]["row"] is None


def test_what_cannot_be_read_alone_is_synced_and_its_row_signalled(site: Site, processed: Calls) -> None:
    key = site.sandbox.objects("transactions")[0]["key"]
    site.event("transaction.created", key)
    site.event("reward.created", site.sandbox.objects("rewards")[0]["key"])
    site.process()
    assert processed[0]["row"] == Transaction.objects.get(key=key)
    assert Transaction.objects.count() == 4


def test_a_resource_is_synced_at_most_once_a_minute(site: Site, processed: Calls) -> None:
    site.event("action.created", "act_1")
    assert site.process() == 1
    first = len(site.reads)
    for number in range(3):
        site.event("action.created", f"act_1{number}")
        assert site.process() == 0
        site.clock.move(seconds=10)
    assert len(site.reads) == first
    waiting = WebhookEvent.objects.filter(state="received").values_list("reason", flat=True)
    assert list(waiting) == ["actions were synced less than a minute ago."] * 3
    site.clock.move(seconds=40)
    assert site.process() == 3
    assert len(site.reads) == first + 1


def test_an_incremental_sync_of_a_resource_that_is_being_synced_waits(site: Site) -> None:
    from django_partnerstack.sync.lease import ResourceLease

    site.event("action.created", "act_1")
    with ResourceLease("test", "actions", site.clock.now):
        assert site.process() == 0
    event = WebhookEvent.objects.get()
    assert (event.state, event.attempts) == ("received", 0)
    site.clock.move(seconds=10)
    assert site.process() == 1


def test_each_request_waits_for_a_slot(site: Site) -> None:
    site.event("transaction.created", "ch_1")
    site.deliver({"event": "partnership_updated", "partner_key": "nobody", "email": "nobody@a.example"})
    site.process()
    assert site.slots >= len(site.reads) > 2


def test_without_a_slot_events_wait_and_no_attempt_is_counted(site: Site, monkeypatch: Any) -> None:
    def refuse() -> None:
        raise DeliveryPaused("Delivery is paused.")

    monkeypatch.setattr(site, "acquire_slot", refuse)
    for number in range(3):
        site.event("customer.updated", f"cus_{number}")
    assert site.process() == 0
    assert not site.reads
    assert set(WebhookEvent.objects.values_list("state", "attempts")) == {("received", 0)}
    assert next_due("test", site.clock.now()) == site.clock.now() + timedelta(seconds=2)


@pytest.mark.parametrize(
    ("fault", "attempts", "reason"),
    [
        ({"kind": "status", "status": 401}, 0, "401"),
        ({"kind": "status", "status": 503}, 1, "503"),
        ({"kind": "lost"}, 1, "no complete response"),
    ],
    ids=["keys rejected", "server error", "no response"],
)
def test_a_failure_of_partnerstack_ends_no_event(
    site: Site, fault: dict[str, Any], attempts: int, reason: str
) -> None:
    site.sandbox.faults.add(**fault, times=1)
    keys = [customer["key"] for customer in site.sandbox.objects("customers")]
    for key in keys:
        site.event("customer.updated", key)
    site.process()
    first = WebhookEvent.objects.order_by("pk")[0]
    assert first.attempts == attempts
    assert reason in first.reason
    site.process_all()
    assert set(WebhookEvent.objects.values_list("state", flat=True)) == {"done"}
    assert Customer.objects.count() == len(keys)


def test_an_event_says_that_partnerstack_cannot_be_reached_and_is_processed_once_it_can(
    site: Site, monkeypatch: Any
) -> None:
    def unreachable(*args: Any, **kwargs: Any) -> Any:
        raise requests.ConnectTimeout("no route to the host")

    site.event("customer.updated", site.sandbox.objects("customers")[0]["key"])
    with monkeypatch.context() as outage:
        outage.setattr(site.adapter, "send", unreachable)
        site.process()
    event = WebhookEvent.objects.get()
    assert (event.state, event.attempts) == ("received", 0)
    assert "no connection (ConnectTimeout: no route to the host)" in event.reason
    site.process_all()
    assert WebhookEvent.objects.get().state == "done"


def test_a_pause_that_partnerstack_asks_for_is_kept(site: Site) -> None:
    site.sandbox.faults.add("status", status=429, retry_after=120, times=1)
    for customer in site.sandbox.objects("customers")[:2]:
        site.event("customer.updated", customer["key"])
    site.process()
    assert len(site.reads) == 1
    assert WebhookEvent.objects.get(attempts=0).due_at == site.clock.now() + timedelta(seconds=120)


def test_a_refused_read_fails_its_event_alone(site: Site) -> None:
    site.sandbox.faults.add("status", status=400, times=1)
    for customer in site.sandbox.objects("customers")[:2]:
        site.event("customer.updated", customer["key"])
    assert site.process() == 2
    failed, done = WebhookEvent.objects.order_by("pk")
    assert (failed.state, done.state) == ("failed", "done")
    assert "400" in failed.reason


def test_an_object_that_can_never_be_read_fails_its_event_alone(site: Site) -> None:
    site.sandbox.faults.add("empty", path="/api/v2/leads")
    site.event("lead.updated", site.sandbox.objects("leads")[0]["key"])
    site.event("deal.updated", site.sandbox.objects("deals")[0]["key"])
    site.process()
    assert list(WebhookEvent.objects.order_by("pk").values_list("state", flat=True)) == ["received", "done"]
    for _ in range(3):
        site.process_all()
    assert WebhookEvent.objects.order_by("pk")[0].state == "failed"


def test_a_failing_receiver_is_called_again_and_blocks_no_other_event(
    site: Site, failing: Callable[[int], None], processed: Calls
) -> None:
    failing(1)
    for customer in site.sandbox.objects("customers")[:2]:
        site.event("customer.updated", customer["key"])
    assert site.process() == 1
    first, second = WebhookEvent.objects.order_by("pk")
    assert (first.state, second.state) == ("received", "done")
    assert "failing.<locals>.receive raised RuntimeError('not today')." in first.reason
    site.process_all()
    first.refresh_from_db()
    assert (first.state, first.reason) == ("done", "")
    assert len(processed) == 3


def test_a_failing_receiver_without_a_name_is_shown_and_blocks_no_other_event(site: Site) -> None:
    def receive(number: int, **arguments: Any) -> None:
        raise RuntimeError("not today")

    receiver = partial(receive, 7)
    webhook_processed.connect(receiver)
    for customer in site.sandbox.objects("customers")[:2]:
        site.event("customer.updated", customer["key"])
    try:
        site.process()
    finally:
        webhook_processed.disconnect(receiver)
    for event in WebhookEvent.objects.all():
        assert (event.state, event.attempts) == ("received", 1)
        assert event.reason == f"The receiver {receiver!r} raised RuntimeError('not today')."


def test_a_receiver_that_always_fails_fails_its_event(site: Site, failing: Callable[[int], None]) -> None:
    failing(100)
    site.event("customer.updated", site.sandbox.objects("customers")[0]["key"])
    for _ in range(30):
        site.process_all()
    event = WebhookEvent.objects.get()
    assert (event.state, event.attempts, event.due_at) == ("failed", 15, None)
    assert "not today" in event.reason


def test_an_event_that_is_received_again_while_it_is_processed_is_processed_again(
    site: Site, monkeypatch: Any
) -> None:
    body = SAMPLES["v2.partnership.updated"]["body"]
    create_the_objects_of_the_samples(site)
    site.deliver(body)
    monkeypatch.setattr(site, "acquire_slot", lambda: site.deliver(body))
    assert site.process() == 1
    event = WebhookEvent.objects.get()
    assert (event.state, event.due_at) == ("received", site.clock.now())


def test_a_claimed_event_belongs_to_one_worker_until_its_lease_expires(site: Site) -> None:
    site.event("customer.updated", site.sandbox.objects("customers")[0]["key"])
    assert len(claim("test", 100, site.clock.now())) == 1
    assert site.process() == 0
    assert next_due("test", site.clock.now()) == site.clock.now() + LEASE
    site.clock.move(seconds=LEASE.total_seconds())
    assert site.process() == 1


def test_a_worker_that_lost_its_lease_writes_nothing_to_the_event(site: Site, monkeypatch: Any) -> None:
    site.event("customer.updated", site.sandbox.objects("customers")[0]["key"])

    def freeze() -> None:
        site.clock.move(seconds=LEASE.total_seconds())
        assert len(claim("test", 100, site.clock.now())) == 1

    monkeypatch.setattr(site, "acquire_slot", freeze)
    site.process()
    event = WebhookEvent.objects.get()
    assert (event.state, event.done_at) == ("received", None)


def test_a_worker_that_stops_releases_what_it_has_not_processed(site: Site, monkeypatch: Any) -> None:
    for customer in site.sandbox.objects("customers")[:3]:
        site.event("customer.updated", customer["key"])
    monkeypatch.setattr(site, "acquire_slot", site.stop.set)
    assert site.process() == 1
    assert WebhookEvent.objects.filter(state="received", due_at=site.clock.now()).count() == 2


def test_no_read_starts_near_the_end_of_the_lease(site: Site, monkeypatch: Any) -> None:
    for customer in site.sandbox.objects("customers")[:3]:
        site.event("customer.updated", customer["key"])
    monkeypatch.setattr(site, "acquire_slot", lambda: site.clock.move(seconds=30))
    assert site.process() == 2
    assert next_due("test", site.clock.now()) == site.clock.now()


def test_nothing_due_costs_one_query_to_ask_and_is_none(site: Site, django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(1):
        assert next_due("test", site.clock.now()) is None
    assert site.process() == 0


def test_at_most_the_limit_is_processed_oldest_first(site: Site) -> None:
    for customer in site.sandbox.objects("customers")[:3]:
        site.event("customer.updated", customer["key"])
        site.clock.move(seconds=1)
    assert site.process(limit=2) == 2
    assert WebhookEvent.objects.get(state="received") == WebhookEvent.objects.latest("first_received_at")


def test_an_event_whose_body_was_forgotten_can_be_processed_by_its_key(site: Site) -> None:
    key = site.sandbox.objects("customers")[0]["key"]
    site.event("customer.updated", key)
    WebhookEvent.objects.update(body=None)
    assert site.process() == 1
    assert Customer.objects.get().key == key


def test_the_row_of_an_event_whose_body_was_forgotten_is_signalled(site: Site, processed: Calls) -> None:
    key = site.sandbox.objects("transactions")[0]["key"]
    site.event("transaction.created", key)
    WebhookEvent.objects.update(body=None)
    site.process()
    assert processed[0]["row"].key == key


def test_an_event_whose_body_was_forgotten_can_name_a_customer_by_the_sites_key(site: Site) -> None:
    customer = site.sandbox.objects("customers")[0]
    site.event("customer.updated", customer["customer_key"])
    WebhookEvent.objects.update(body=None)
    assert site.process() == 1
    assert site.reads == [f"/customers/{customer['customer_key']}"]
    assert Customer.objects.get().key == customer["key"]


@pytest.mark.parametrize("forgotten", [False, True])
@pytest.mark.parametrize("name", [name for name, resource in RESOURCES.items() if resource.readable])
def test_every_readable_resource_is_read_by_key(site: Site, name: str, forgotten: bool) -> None:
    item = site.sandbox.objects(name)[0]
    site.event(f"{name.removesuffix('s')}.updated", item["key"])
    if forgotten:
        WebhookEvent.objects.update(body=None)
    site.process()
    assert site.reads == [f"/{name}/{item['key']}"]
    assert RESOURCES[name].model._default_manager.get().key == item["key"]
