import os
import socket
import subprocess
import sys

import pytest

from django_partnerstack.exceptions import SyncLocked
from django_partnerstack.models import Customer, SyncState
from django_partnerstack.sync.lease import LEASE, ResourceLease, machine

pytestmark = pytest.mark.django_db


def leased_to(owner, clock):
    SyncState.objects.create(
        mode="test", resource="customers", lease_owner=owner, lease_expires_at=clock.now + LEASE
    )


def test_a_second_pull_of_a_resource_is_refused_before_any_request(programme, sync, clock):
    with (
        ResourceLease("test", "customers", clock),
        pytest.raises(SyncLocked, match="Another run is syncing customers"),
    ):
        sync(programme)
    assert not programme.queries


def test_other_resources_and_the_other_mode_can_be_pulled(programme, sync, clock):
    with ResourceLease("test", "deals", clock), ResourceLease("production", "customers", clock):
        assert sync(programme).complete


def test_a_lease_is_released_after_its_block_also_after_an_error(clock):
    with pytest.raises(KeyboardInterrupt), ResourceLease("test", "customers", clock):
        raise KeyboardInterrupt
    with ResourceLease("test", "customers", clock):
        pass


def test_after_its_block_nobody_is_shown_as_the_holder_of_a_lease(clock):
    with ResourceLease("test", "customers", clock) as lease:
        held = SyncState.objects.get()
        assert (held.lease_owner, held.lease_expires_at) == (lease.owner, clock.now + LEASE)
    freed = SyncState.objects.get()
    assert (freed.lease_owner, freed.lease_expires_at) == ("", None)


def test_the_lease_of_a_process_that_has_ended_is_taken_over_at_once(programme, sync, clock):
    child = subprocess.run(
        [sys.executable, "-c", "import os; print(os.getpid())"], stdout=subprocess.PIPE, check=True
    )
    leased_to(f"{machine()}:{int(child.stdout)}:abc", clock)
    assert sync(programme).complete


@pytest.fixture
def ended():
    """The id of a process that has ended, so that no process here has it."""
    child = subprocess.run(
        [sys.executable, "-c", "import os; print(os.getpid())"], stdout=subprocess.PIPE, check=True
    )
    with pytest.raises(ProcessLookupError):
        os.kill(int(child.stdout), 0)
    return int(child.stdout)


@pytest.mark.parametrize(
    "elsewhere",
    [
        "elsewhere.example:0123456789ab",
        # Another machine with the name of this one, or another container on it.
        f"{socket.gethostname()}:0123456789ab",
        # Where the system does not tell, or an earlier version stored the owner.
        f"{socket.gethostname()}:",
        socket.gethostname(),
    ],
)
def test_the_lease_of_a_process_elsewhere_is_respected_until_it_expires(
    elsewhere, ended, programme, sync, clock
):
    leased_to(f"{elsewhere}:{ended}:abc", clock)
    with pytest.raises(SyncLocked, match="in another container"):
        sync(programme)
    clock.move(minutes=5, seconds=1)
    assert sync(programme).complete


def test_processes_of_one_machine_have_the_same_name_for_it_and_containers_another():
    code = "from django_partnerstack.sync.lease import machine; print(machine())"
    run = [sys.executable, "-c", f"import django; django.setup(); {code}"]
    assert subprocess.run(run, stdout=subprocess.PIPE, check=True, text=True).stdout.strip() == machine()
    container = ["unshare", "--pid", "--fork", "--mount-proc", *run]
    other = subprocess.run(container, capture_output=True, text=True)
    if other.returncode:
        pytest.skip("this system allows no new PID namespace")
    assert other.stdout.strip() != machine()


def test_the_lease_of_a_running_process_is_respected(programme, sync, clock):
    leased_to(f"{machine()}:{os.getpid()}:abc", clock)
    with pytest.raises(SyncLocked):
        sync(programme)


def test_the_lease_of_another_machine_expires(programme, sync, clock):
    leased_to("elsewhere.example:1:abc", clock)
    with pytest.raises(SyncLocked, match="within 5 minutes"):
        sync(programme)
    clock.move(minutes=5, seconds=1)
    assert sync(programme).complete


def test_a_run_that_has_lost_its_lease_writes_nothing_more(many, sync):
    def lose_the_lease(pulled):
        SyncState.objects.update(lease_owner="elsewhere.example:1:abc")

    with pytest.raises(SyncLocked, match="taken over"):
        sync(many, on_page=lose_the_lease)
    assert Customer.objects.count() == 250
    assert SyncState.objects.get().lease_owner == "elsewhere.example:1:abc"


def test_each_page_renews_the_lease(many, sync, clock):
    ends = []

    def look(pulled):
        ends.append(SyncState.objects.get().lease_expires_at)
        clock.move(minutes=3)

    sync(many, on_page=look)
    assert ends == sorted(set(ends))
