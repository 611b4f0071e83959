"""An idle worker: what it costs, and how soon it sends a new message."""

from __future__ import annotations

from random import Random
from statistics import median, quantiles

from .conftest import LONG
from .history import Event
from .host import write
from .processes import longest_wait, moment, until, waits_for_cpu
from .worker import command, service_that_says_queries, work_and_say_queries

TIMES = 100 if LONG else 10


def test_a_committed_message_arrives_within_two_polls(family, witness, show):
    random, seconds = Random(5), []
    write(Event("sign-up", 1))
    worker = family.start(command)
    until(lambda: witness.writes, seconds=30, what="the worker delivers")
    for number in range(2, TIMES + 2):
        moment(random.random())
        waits, committed = waits_for_cpu(worker.process.pid), witness.clock()
        write(Event("sign-up", number))
        until(lambda number=number: len(witness.writes) == number, seconds=10, what="a message")
        waited = longest_wait(waits, waits_for_cpu(worker.process.pid))
        seconds.append(witness.writes[-1].at - committed - waited)
    p99 = quantiles(seconds, n=100, method="inclusive")[98]
    show(
        f"commit to arrival on an idle system, {TIMES} times, without waits for a CPU: "
        f"p50 {median(seconds):.3f} s, p99 {p99:.3f} s"
    )
    assert p99 < 2


def test_an_idle_worker_sends_one_query_a_second(family, show):
    worker = family.start(work_and_say_queries)
    rate = until(lambda: idle_rate(worker.said), seconds=30, what="the worker has nothing to do")
    show(f"idle: {rate:.2f} queries a second")


def test_an_idle_service_sends_two_queries_a_second_at_most(family, show):
    """Delivery, webhooks, syncs and the heartbeat together, once the first sync is over."""
    family.settings["PARTNERSTACK_WEBHOOK_SECRETS"] = ["canary-0123456789-0123456789-0123456789"]
    service = family.start(service_that_says_queries)
    rate = until(lambda: idle_rate(service.said, number=40, most=2), seconds=90, what="it has nothing to do")
    show(f"idle partnerstack_worker: {rate:.2f} queries a second")


def idle_rate(said, number=5, most=1):
    """The rate of the last ``number`` queries; None as long as it is above ``most`` a second."""
    times = [float(line.split()[1]) for line in said.splitlines() if line.startswith("query ")]
    times = times[-number - 1 :]
    rate = number / (times[-1] - times[0]) if len(times) == number + 1 else None
    return rate if rate and rate <= most else None
