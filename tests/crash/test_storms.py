"""PartnerStack asks for a pause, fails or hangs: what is sent then, with any number of workers."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from django_partnerstack.models import ThrottleState
from django_partnerstack.throttle.throttle import resume_delivery

from .conftest import LONG
from .history import Event
from .host import write
from .processes import Waiting, longest_wait, until, waits_for_cpu
from .worker import command, work

PER_SECOND = 20
#: 5 % more, and the requests that a busy machine sends a tenth of a second late.
IN_ANY_SECOND = 1.05 * PER_SECOND + 2
#: Seconds after which no request arrives that was sent before its worker knew of the pause.
ON_ITS_WAY = 0.3
CUSTOMERS = 60
#: The number of workers, the status that asks for a pause, and the form of Retry-After.
STORMS = [(1, 429, "seconds"), (4, 429, "date"), (4, 503, "seconds")]
if LONG:
    STORMS = [(w, status, form) for w in (1, 4, 8) for status in (429, 503) for form in ("seconds", "date")]


@pytest.fixture
def waiting(family, witness):
    with Waiting(family, witness.clock) as waiting:
        yield waiting


@pytest.fixture
def crowd(family, witness):
    """Starts workers that share a limit, at a site with many customers."""
    family.settings["PARTNERSTACK_REQUESTS_PER_MINUTE"] = 60 * PER_SECOND

    def start(workers):
        for number in range(1, CUSTOMERS + 1):
            write(Event("sign-up", number))
        children = [family.start(work) for _ in range(workers)]
        until(lambda: all(child.is_ready for child in children), seconds=30, what="workers are ready")
        until(lambda: len(witness.arrivals) > 10, seconds=10, what="some requests")

    return start


def is_everything_delivered(witness):
    return len(witness.writes) == CUSTOMERS


def busiest_second(arrivals, waiting):
    """
    How many requests arrive in the busiest second.

    Without those of the time for which a worker could not run: it sends them in the next second.
    """
    times = [each.at for each in arrivals]
    return max(
        sum(first <= at < first + 1 for at in times) - PER_SECOND * waiting.between(first - 1, first + 1)
        for first in times
    )


def within(arrivals, seconds, waiting):
    """
    For each request during a pause, the seconds since the answer that asked for the pause.

    Without those for which a worker could not run.
    """
    begins = [each.at for each in arrivals if each.status in (429, 503)]
    pauses = [(begin, each.at) for each in arrivals for begin in begins if 0 < each.at - begin < seconds]
    return [at - begin - waiting.between(begin, at) for begin, at in pauses]


@pytest.mark.parametrize(("workers", "status", "form"), STORMS)
def test_no_request_is_sent_during_a_pause_that_partnerstack_asked_for(
    crowd, witness, waiting, show, workers, status, form
):
    witness.behaviour.retry_after = form
    crowd(workers)
    witness.faults.add("status", status=status, retry_after=3, times=1)
    until(lambda: is_everything_delivered(witness), seconds=60, what="everything is delivered")
    # A date has no fractions of a second, so the pause may be a second shorter.
    late = within(witness.arrivals, 3 if form == "seconds" else 2, waiting)
    busiest = busiest_second(witness.arrivals, waiting)
    show(
        f"{workers} workers, {status}, {form}: {len(late)} requests in the pause, "
        f"the last after {max(late, default=0):.3f} s; {busiest:.0f} in the busiest second of {PER_SECOND}"
    )
    assert max(late, default=0) < ON_ITS_WAY
    assert busiest <= IN_ANY_SECOND


def test_a_pause_lasts_an_hour_at_most_and_an_operator_can_end_it(crowd, witness, waiting):
    crowd(workers=2)
    witness.faults.add("status", status=429, retry_after=10**10, times=1)
    throttle = ThrottleState.objects.filter(mode="test", paused_until__gt=timezone.now())
    row = until(throttle.first, seconds=10, what="delivery is paused")
    assert row.paused_until - timezone.now() < timedelta(hours=1)
    assert not is_everything_delivered(witness)
    resume_delivery("test")
    until(lambda: is_everything_delivered(witness), seconds=60, what="everything is delivered")
    assert busiest_second(witness.arrivals, waiting) <= IN_ANY_SECOND


@pytest.mark.skipif(not LONG, reason="Takes longer than half a minute.")
@pytest.mark.parametrize("workers", [1, 4, 8])
def test_a_failing_partnerstack_gets_no_request_but_a_probe(crowd, witness, waiting, show, workers):
    crowd(workers)
    witness.faults.add("status", status=503)
    throttle = ThrottleState.objects.filter(mode="test", paused_until__gt=timezone.now(), half_open=True)
    until(throttle.first, seconds=60, what="delivery is paused")
    witness.faults.clear()
    opened, before = throttle.first().paused_until.timestamp(), len(witness.arrivals)
    until(lambda: is_everything_delivered(witness), seconds=120, what="everything is delivered")
    early = [
        opened - each.at + waiting.between(opened - 30, each.at)
        for each in witness.arrivals[before:]
        if each.at < opened
    ]
    busiest = busiest_second(witness.arrivals, waiting)
    show(
        f"{workers} workers, 503: {len(early)} requests in a pause of half a minute; "
        f"{busiest:.0f} in the busiest second of {PER_SECOND}"
    )
    assert not [seconds for seconds in early if seconds < 30 - ON_ITS_WAY]
    assert busiest <= IN_ANY_SECOND


def test_a_request_that_hangs_does_not_delay_other_customers(family, witness, show):
    family.settings["PARTNERSTACK_READ_TIMEOUT"] = 10
    for number in range(1, 10):
        write(Event("sign-up", number))
    worker = family.start(command)
    until(lambda: len(witness.writes) == 9, seconds=30, what="customers are created")
    witness.faults.add("latency", path="/api/v2/customers/shop-account-1", seconds=8)
    write(Event("change", 1, text="Hangs"))
    until(lambda: len(witness.writes) == 10, seconds=10, what="the request that hangs")
    waits, began = waits_for_cpu(worker.process.pid), witness.clock()
    for number in range(2, 10):
        write(Event("change", number, text="Healthy"))
    until(lambda: len(witness.writes) == 18, seconds=30, what="changes of the others")
    seconds = witness.clock() - began - longest_wait(waits, waits_for_cpu(worker.process.pid))
    show(f"changes arrived within {seconds:.2f} s beside another customer's request that hangs")
    assert seconds < 3
