"""Nothing is sent after a moment: a process that was stopped must not send what another has taken over."""

import os
import signal
import subprocess
import sys
import threading
from datetime import datetime, timedelta, timezone
from time import sleep

import pytest
import responses

from django_partnerstack.client import Client, RetryPolicy
from django_partnerstack.client.credentials import Keys, Scrubber
from django_partnerstack.client.sockets import new_session
from django_partnerstack.client.transport import Transport
from django_partnerstack.exceptions import InvalidArgument, NotSent, ReplyLost

from .conftest import API, PUBLIC, SECRET, envelope, listing
from .servers import Server, reply, replying

GOOD = reply({"key": "cus_1"})
NOW = datetime(2026, 6, 1, 12, tzinfo=timezone.utc)


def create(client):
    return client.customers.create(customer_key="acme", email="a@example.com", partner_key="john")


WRITES = {
    "POST": create,
    "PATCH": lambda client: client.customers.update("acme", name="Acme"),
    "DELETE": lambda client: client.customers.delete("acme"),
}


class FreezingClock:
    """The clock of a process that is stopped for two minutes just before it reads the clock the nth time."""

    def __init__(self):
        self.reads = self.nth = 0

    def __call__(self):
        self.reads += 1
        return self.seconds

    @property
    def seconds(self):
        return 120.0 if 0 < self.nth <= self.reads else 0.0

    def restart(self, nth):
        self.reads, self.nth = 0, nth

    def client(self, server):
        policy = RetryPolicy(clock=self, wall_clock=lambda: 0.0)
        return Client(PUBLIC, SECRET, server.url, timeout=2, retry_policy=policy)

    def until_the_lease_ends(self, client):
        return client.until(NOW + timedelta(minutes=1), lambda: NOW + timedelta(seconds=self.seconds))


def answer_complete_requests(connection):
    while request := connection.read_request():
        head, _, body = request.lower().partition(b"\r\n\r\n")
        if f"content-length: {len(body)}\r\n".encode() not in head + b"\r\n":
            return  # The client closed the connection in the middle of its request.
        connection.server.complete.set()
        connection.send(GOOD)


def write(method, nth, *, reuse):
    """The result of a write in a lease of a minute, whether the server has it, and the looks at the clock."""
    clock = FreezingClock()
    with Server(answer_complete_requests) as server:
        server.complete = threading.Event()
        client = clock.client(server)
        if reuse:
            create(client)
        clock.restart(nth)
        server.complete.clear()
        try:
            WRITES[method](clock.until_the_lease_ends(client))
            result = "done"
        except (NotSent, ReplyLost) as error:
            result = type(error).__name__
        client.close()
        complete = server.complete.wait(5 if result == "ReplyLost" else 0.02)
    return result, complete, clock.reads


@pytest.mark.parametrize("reuse", [False, True], ids=["new connection", "open connection"])
@pytest.mark.parametrize("method", WRITES)
def test_a_process_that_was_stopped_until_its_last_look_at_the_clock_sends_nothing(method, reuse):
    done, complete, reads = write(method, 0, reuse=reuse)
    assert (done, complete) == ("done", True)
    results = [write(method, nth, reuse=reuse)[:2] for nth in range(1, reads + 1)]
    assert set(results) == {("NotSent", False), ("ReplyLost", True)}
    # Once the request is complete it is in doubt, and never before.
    assert results == sorted(results)


def test_the_body_is_not_sent_if_the_time_passed_after_the_headers():
    received = []

    def read_all(connection):
        connection.server.received = connection.sock.makefile("rb").read()
        connection.server.complete.set()

    for nth in range(1, 20):
        clock = FreezingClock()
        with Server(read_all) as server:
            server.received, server.complete = None, threading.Event()
            client = clock.client(server)
            clock.restart(nth)
            with pytest.raises((NotSent, ReplyLost)) as failed:
                create(clock.until_the_lease_ends(client))
            client.close()
            server.complete.wait(0.3)
        if failed.type is ReplyLost:
            break
        received.append(server.received)
    assert received[0] in (None, b"")
    assert received[-1].startswith(b"POST /customers")
    assert received[-1].endswith(b"\r\n\r\n")


STOPPED = """
import datetime, os, signal, sys, time
from django_partnerstack.client import Client, RetryPolicy
from django_partnerstack.exceptions import RequestError

reads = 0

def clock():
    global reads
    reads += 1
    if reads == int(sys.argv[2]):
        os.kill(os.getpid(), signal.SIGSTOP)
    return time.monotonic()

client = Client("pk_x", "sk_x", sys.argv[1], retry_policy=RetryPolicy(clock=clock))
moment = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=0.5)
try:
    client.until(moment).customers.create(customer_key="acme", email="a@example.com", partner_key="john")
except RequestError as error:
    print(type(error).__name__)
else:
    print("done")
"""


def run_stopped(url, nth):
    """The outcome of a process that is stopped at its nth look at the clock until the moment has passed."""
    child = subprocess.Popen(
        [sys.executable, "-c", STOPPED, url, str(nth)], stdout=subprocess.PIPE, text=True
    )
    with child:
        pid, status = os.waitpid(child.pid, os.WUNTRACED)
        assert os.WIFSTOPPED(status)
        sleep(0.6)
        os.kill(pid, signal.SIGCONT)
        return child.communicate(timeout=20)[0].strip()


@pytest.mark.skipif(os.name != "posix", reason="needs signals")
@pytest.mark.parametrize("looks_before_the_last", [3, 1, 0])
def test_a_process_that_is_really_stopped_and_continued_sends_nothing(looks_before_the_last):
    last = next(nth for nth in range(1, 30) if write("POST", nth, reuse=False)[0] == "ReplyLost") - 1
    with Server(answer_complete_requests) as server:
        server.complete = threading.Event()
        assert run_stopped(server.url, last - looks_before_the_last) == "NotSent"
        assert not server.complete.is_set()


@pytest.mark.parametrize("left", [0, -0.5, -5])
def test_a_request_without_time_is_not_sent(left):
    with Server(replying(GOOD)) as server, pytest.raises(NotSent, match="the deadline has passed"):
        Transport(new_session(True), 5, 30).exchange(
            "POST",
            server.url,
            path="/customers",
            auth=Keys(PUBLIC, SECRET),
            scrub=Scrubber(Keys(PUBLIC, SECRET)),
            seconds_left=lambda: left,
        )
    assert not server.connections


def client_of(time, wall_clock=lambda: 0.0, **options):
    policy = RetryPolicy(clock=time.clock, sleep=time.sleep, random=lambda: 1.0, wall_clock=wall_clock)
    return Client(PUBLIC, SECRET, retry_policy=policy, **options)


@responses.activate
@pytest.mark.parametrize(("slept", "sent"), [(59.9, True), (60, False), (61, False)])
@pytest.mark.parametrize("clock", ["monotonic", "wall"])
def test_both_clocks_of_the_machine_count(time, slept, sent, clock):
    """The monotonic clock of some systems stops while the machine sleeps."""
    responses.post(f"{API}/customers", json=envelope({"key": "cus_1"}))
    wall = [0.0]
    client = client_of(time, lambda: wall[0]).until(NOW + timedelta(minutes=1), lambda: NOW)
    if clock == "wall":
        wall[0] += slept
    else:
        time.now += slept
    if sent:
        assert create(client).key == "cus_1"
    else:
        with pytest.raises(NotSent):
            create(client)
    assert len(responses.calls) == sent


@responses.activate
def test_the_moment_applies_to_reads_and_conversions_too(time):
    client = client_of(time, tracking_token="token").until(NOW, lambda: NOW)
    for call in (
        client.customers.list,
        lambda: client.request("GET", "/offers"),
        lambda: client.conversions.create(xid="x", customer_key="acme"),
    ):
        with pytest.raises(NotSent):
            call()
    assert not responses.calls


@responses.activate
def test_no_delay_of_a_read_lasts_beyond_the_moment(time):
    responses.get(f"{API}/groups", status=429, headers={"Retry-After": "30"})
    with pytest.raises(Exception, match="429"):
        client_of(time).until(NOW + timedelta(seconds=20), lambda: NOW).groups.list()
    assert time.sleeps == []


@responses.activate
def test_the_client_itself_stays_without_a_limit(time):
    responses.get(f"{API}/groups", json=listing())
    client = client_of(time)
    client.until(NOW - timedelta(days=1), lambda: NOW)
    assert client.groups.list().records == ()


def test_a_moment_without_a_time_zone_is_refused(client):
    with pytest.raises(InvalidArgument, match="time zone"):
        client.until(datetime(2026, 6, 1))
