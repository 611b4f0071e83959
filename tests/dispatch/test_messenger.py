"""Wake-ups leave from a thread: the one who queues a message neither waits nor fails."""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence

import pytest

from django_partnerstack.dispatch.messenger import MOST, WakeupThread


class Waker:
    """Notes what it is called for, once it is let."""

    def __init__(self) -> None:
        self.called: list[list[str]] = []
        self.begun, self.let = threading.Event(), threading.Event()

    def __call__(self, lanes: Sequence[str], stopping: threading.Event) -> None:
        self.called.append(list(lanes))
        self.begun.set()
        self.let.wait(10)


@pytest.fixture
def waker() -> Waker:
    return Waker()


def test_a_wake_up_leaves_at_once_and_nobody_waits_for_it(waker: Waker) -> None:
    messenger = WakeupThread(waker, pause=0)
    messenger.tell("a")
    assert waker.begun.wait(5)
    waker.let.set()
    messenger.close()
    assert waker.called == [["a"]]


def test_ten_thousand_wake_ups_during_one_become_one_more(waker: Waker) -> None:
    messenger = WakeupThread(waker, pause=0)
    messenger.tell("a")
    assert waker.begun.wait(5)
    for number in range(10_000):
        messenger.tell(f"lane-{number % 100}")
    waker.let.set()
    messenger.close()
    assert [len(lanes) for lanes in waker.called] == [1, 100]


def test_lanes_that_wait_are_bounded(waker: Waker) -> None:
    messenger = WakeupThread(waker, pause=0)
    messenger.tell("a")
    assert waker.begun.wait(5)
    for number in range(2 * MOST):
        messenger.tell(str(number))
    waker.let.set()
    messenger.close()
    assert len(waker.called[1]) == MOST


def test_a_lane_that_is_told_of_while_it_is_served_is_served_again(waker: Waker) -> None:
    messenger = WakeupThread(waker, pause=0)
    messenger.tell("a")
    assert waker.begun.wait(5)
    messenger.tell("a")
    waker.let.set()
    messenger.close()
    assert waker.called == [["a"], ["a"]]


def test_the_thread_ends_and_the_next_wake_up_has_a_new_one(waker: Waker) -> None:
    waker.let.set()
    messenger = WakeupThread(waker, pause=0)
    messenger.tell("a")
    assert messenger.wait(5)
    messenger.tell("b")
    assert messenger.wait(5)
    assert waker.called == [["a"], ["b"]]


def test_an_outage_is_logged_once_and_ends_nothing(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.ERROR, "django_partnerstack")
    outcomes = iter([OSError("down"), OSError("down"), None, OSError("down again")])

    def broker(lanes: Sequence[str], stopping: threading.Event) -> None:
        if error := next(outcomes):
            raise error

    messenger = WakeupThread(broker, pause=0)
    for _ in range(4):
        messenger.tell("a")
        assert messenger.wait(5)
    assert [str(record.exc_info[1]) for record in caplog.records] == ["down", "down again"]


def test_the_end_of_the_process_stops_what_goes_on(waker: Waker) -> None:
    stopped = threading.Event()

    def endless(lanes: Sequence[str], stopping: threading.Event) -> None:
        stopping.wait(60)
        stopped.set()

    messenger = WakeupThread(endless, patience=0.05)
    messenger.tell("a")
    messenger.close()
    assert stopped.is_set()
