import signal
from collections import Counter

from django_partnerstack.models import Attempt, AttemptOutcome, OutboxMessage, State

from .conftest import LONG
from .history import History, effects
from .killing import AT_RANDOM, Killing
from .processes import until
from .traps import POINTS
from .witness import judge

EVENTS, KILLS, MINUTES = (10_000, 200, 25) if LONG else (300, 15, 3)
OPEN = (State.QUEUED, State.SCHEDULED, State.SENDING, State.UNCONFIRMED)


def is_anything_open() -> bool:
    return OutboxMessage.objects.filter(state__in=OPEN).exists()


def test_workers_are_killed_and_everything_reaches_partnerstack_once_and_in_order(family, witness, show):
    # The worst case: PartnerStack accepts duplicates, so it would pay twice.
    witness.behaviour.duplicates = "accepted"
    killing = Killing(family, seed=1, events=EVENTS, kills=KILLS)
    killing.run()
    rest = killing.finish(workers=2)
    until(lambda: not is_anything_open(), seconds=60 * MINUTES, what="everything is delivered")
    for worker in rest:
        worker.send(signal.SIGTERM)
    verdict = judge(witness, effects(list(History(1, EVENTS))))
    show(f"{EVENTS} events, {killing.killed.total()} kills: {verdict}")
    show(f"killed: {dict(killing.killed)}")
    attempts = Counter(Attempt.objects.values_list("outcome", flat=True))
    show(f"attempts: {dict(attempts)}")
    assert [worker.wait(5) for worker in rest] == [0, 0]
    assert verdict.is_good
    assert {*POINTS, AT_RANDOM} <= {*killing.killed}
    assert attempts[AttemptOutcome.LOST]
    proofs = (AttemptOutcome.DELIVERED, AttemptOutcome.FOUND)
    delivered = OutboxMessage.objects.filter(state=State.DELIVERED)
    assert not delivered.exclude(attempt__outcome__in=proofs).exists()
