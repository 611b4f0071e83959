"""``partnerstack_worker``, stopped, frozen or killed: what it leaves, another does, and does once."""

from __future__ import annotations

import signal
from collections import Counter
from contextlib import ExitStack
from functools import partial
from random import Random

import pytest
from django.db import connection
from django.utils import timezone

from django_partnerstack.models import Customer, OutboxMessage, State, SyncState, Worker
from django_partnerstack.resources import RESOURCES

from .conftest import LONG
from .history import History
from .host import write
from .listener import Listener
from .processes import Family, moment, until
from .worker import SYNC_LEASE, service, service_with_short_leases

STOPS = 100 if LONG else 20
ROUNDS = 30 if LONG else 4
#: Seconds: the time-out of an answer, one to say that it stopped, and one more.
AT_MOST = 3
#: Seconds between two syncs.
EVERY = 2


def test_a_worker_stops_soon_after_sigterm_and_leaves_nothing_claimed(family, witness, show):
    for event in History(2, STOPS * 25):
        write(event)
    witness.faults.add("latency", seconds=0.04)
    witness.faults.add("latency", seconds=0.4, rate=0.05)
    family.settings["PARTNERSTACK_SYNC_EVERY"] = 0.5
    random, seconds = Random(2), []
    for _ in range(STOPS):
        began = len(witness.arrivals)
        worker = family.start(service)
        until(lambda began=began: len(witness.arrivals) > began + 3, seconds=30, what="some requests")
        moment(random.random())
        signalled = witness.clock()
        worker.send(random.choice((signal.SIGTERM, signal.SIGINT)))
        assert worker.wait(20) == 0, worker.said
        seconds.append(witness.clock() - signalled)
        assert not OutboxMessage.objects.filter(state=State.SENDING).exists()
        assert not SyncState.objects.exclude(lease_owner="").exists()
        assert not Worker.objects.filter(stopped_at=None).exists()
    show(f"{STOPS} SIGTERMs and SIGINTs: exit status 0, after {max(seconds):.2f} s at most, nothing claimed")
    assert max(seconds) < AT_MOST


@pytest.fixture
def partnerstack():
    return Listener()


@pytest.fixture
def urls(partnerstack):
    """Two addresses of PartnerStack, one for each worker."""
    with ExitStack() as stack:
        yield [stack.enter_context(partnerstack.serve()).url for _ in range(2)]


@pytest.fixture
def workers(transactional_db, urls, tmp_path):
    """Starts a worker with one of the addresses."""
    family = Family(tmp_path, dict(connection.settings_dict), PARTNERSTACK_SYNC_EVERY=EVERY)
    yield lambda number: family.start(service_with_short_leases, f"{urls[number]}/api/v2")
    family.end()


def is_all_synced(since=None):
    synced = SyncState.objects.exclude(completed_at=None)
    return len(synced.filter(completed_at__gt=since) if since else synced) == len(RESOURCES)


@pytest.mark.parametrize("how", [signal.SIGSTOP, signal.SIGKILL], ids=["frozen", "killed"])
def test_what_a_worker_leaves_another_syncs_and_nothing_is_synced_twice(
    partnerstack, urls, workers, show, how
):
    random, seconds = Random(7), []
    addresses = [url.removeprefix("http://") for url in urls]
    running = [workers(0), workers(1)]
    until(is_all_synced, seconds=60, what="the first sync")
    for _ in range(ROUNDS):
        name, began = random.choice(("customers", "transactions", "partnerships")), len(partnerstack.reads)
        next_reader = partial(partnerstack.next_reader, name, began)
        reader = until(next_reader, seconds=30, what=f"a sync of {name}")
        victim = addresses.index(reader)
        running[victim].send(how)
        left_at, since = partnerstack.clock(), timezone.now()
        until(partial(is_all_synced, since), seconds=40, what="the other syncs everything")
        seconds.append(partnerstack.clock() - left_at)
        if how == signal.SIGSTOP:
            running[victim].send(signal.SIGCONT)
        else:
            running[victim] = workers(victim)
        partnerstack.pauses.append((left_at, partnerstack.clock()))
        moment(random.random() * EVERY)
    for worker in running:
        worker.send(signal.SIGTERM)
    assert [worker.wait(20) for worker in running] == [0, 0], [worker.said for worker in running]
    simultaneous, doubled = partnerstack.simultaneous(), partnerstack.doubled(EVERY)
    begun = Counter(read.address for read in partnerstack.reads if read.begins)
    counted = f"{begun.total()} syncs, {len(simultaneous)} at the same time, {len(doubled)} twice"
    show(f"{ROUNDS} times {how.name} in a sync: the other did all within {max(seconds):.1f} s; {counted}")
    assert all(begun[address] for address in addresses)
    assert not simultaneous
    assert not doubled
    keys = {item["key"] for item in partnerstack.objects("customers")}
    assert set(Customer.objects.filter(missing_since=None).values_list("key", flat=True)) == keys
    assert max(seconds) < SYNC_LEASE + 15
