import signal
from random import Random

import pytest

from django_partnerstack.models import OutboxMessage, State

from .conftest import LONG
from .history import History
from .host import write
from .processes import moment, until
from .worker import command

TIMES = 100 if LONG else 10
#: The time-out of an answer, and one more second.
AT_MOST = 2


@pytest.fixture
def busy(db, family, witness):
    """A site with many messages, and a slow PartnerStack."""
    for event in History(2, TIMES * 25):
        write(event)
    witness.faults.add("latency", seconds=0.04)
    witness.faults.add("latency", seconds=0.4, rate=0.05)


def test_a_worker_stops_soon_after_sigterm_and_leaves_no_message_sending(busy, family, witness, show):
    random = Random(2)
    seconds = []
    for _ in range(TIMES):
        began = len(witness.arrivals)
        worker = family.start(command)
        until(lambda began=began: len(witness.arrivals) > began, seconds=20, what="a request")
        moment(random.random() / 2)
        signalled = witness.clock()
        worker.send(signal.SIGTERM)
        assert worker.wait(20) == 0, worker.said
        seconds.append(witness.clock() - signalled)
        assert not OutboxMessage.objects.filter(state=State.SENDING).exists()
    show(f"{TIMES} SIGTERMs: exit status 0, after {max(seconds):.2f} s at most, nothing left being sent")
    assert max(seconds) < AT_MOST
