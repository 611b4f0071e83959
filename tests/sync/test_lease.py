import os
import subprocess
import sys

import pytest

from django_partnerstack.exceptions import SyncLocked
from django_partnerstack.models import Customer, SyncState
from django_partnerstack.sync.lease import LEASE, hold

pytestmark = pytest.mark.django_db


def held_by(name, clock):
    SyncState.objects.create(
        mode="test", resource="customers", lease_owner=name, lease_expires_at=clock.now + LEASE
    )


def test_a_second_pull_of_a_resource_says_that_another_is_at_it(programme, sync, clock):
    with hold("test", "customers", clock), pytest.raises(SyncLocked, match="Another run is at customers"):
        sync(programme)
    assert not programme.asked


def test_other_resources_and_the_other_mode_are_free(programme, sync, clock):
    with hold("test", "deals", clock), hold("production", "customers", clock):
        assert sync(programme).complete


def test_a_hold_ends_with_its_block_also_by_an_error(clock):
    with pytest.raises(KeyboardInterrupt), hold("test", "customers", clock):
        raise KeyboardInterrupt
    with hold("test", "customers", clock):
        pass


def test_the_hold_of_a_process_that_died_is_taken_over_at_once(programme, sync, clock):
    import socket

    child = subprocess.run(
        [sys.executable, "-c", "import os; print(os.getpid())"], stdout=subprocess.PIPE, check=True
    )
    held_by(f"{socket.gethostname()}:{int(child.stdout)}:abc", clock)
    assert sync(programme).complete


def test_the_hold_of_a_process_that_lives_is_respected(programme, sync, clock):
    import socket

    held_by(f"{socket.gethostname()}:{os.getpid()}:abc", clock)
    with pytest.raises(SyncLocked):
        sync(programme)


def test_a_hold_from_another_machine_ends_with_time(programme, sync, clock):
    held_by("elsewhere.example:1:abc", clock)
    with pytest.raises(SyncLocked, match="within 5 minutes"):
        sync(programme)
    clock.move(minutes=5, seconds=1)
    assert sync(programme).complete


def test_a_run_that_lost_its_hold_writes_nothing_more(many, sync):
    def lose_the_hold(pulled):
        SyncState.objects.update(lease_owner="elsewhere.example:1:abc")

    with pytest.raises(SyncLocked, match="taken over"):
        sync(many, on_page=lose_the_hold)
    assert Customer.objects.count() == 250
    assert SyncState.objects.get().lease_owner == "elsewhere.example:1:abc"


def test_each_page_renews_the_hold(many, sync, clock):
    ends = []

    def look(pulled):
        ends.append(SyncState.objects.get().lease_expires_at)
        clock.move(minutes=3)

    sync(many, on_page=look)
    assert ends == sorted(set(ends))
