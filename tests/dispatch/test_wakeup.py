"""A thread sends the wake-ups: code that queues a message neither waits for them nor fails with them."""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence

import pytest

from django_partnerstack.dispatch.wakeup import MAX_LANES, WakeupThread


class Backend:
    """Records its calls. Each call returns once the test lets it."""

    def __init__(self) -> None:
        self.called: list[list[str]] = []
        self.called_once, self.may_return = threading.Event(), threading.Event()

    def __call__(self, lanes: Sequence[str], stopping: threading.Event) -> None:
        self.called.append(list(lanes))
        self.called_once.set()
        self.may_return.wait(10)


@pytest.fixture
def backend() -> Backend:
    return Backend()


def test_a_wake_up_is_sent_at_once_without_waiting_for_it(backend: Backend) -> None:
    wakeups = WakeupThread(backend, pause=0)
    wakeups.notify("a")
    assert backend.called_once.wait(5)
    backend.may_return.set()
    wakeups.close()
    assert backend.called == [["a"]]


def test_ten_thousand_wake_ups_during_one_become_one_more(backend: Backend) -> None:
    wakeups = WakeupThread(backend, pause=0)
    wakeups.notify("a")
    assert backend.called_once.wait(5)
    for number in range(10_000):
        wakeups.notify(f"lane-{number % 100}")
    backend.may_return.set()
    wakeups.close()
    assert [len(lanes) for lanes in backend.called] == [1, 100]


def test_the_number_of_waiting_lanes_is_limited(backend: Backend) -> None:
    wakeups = WakeupThread(backend, pause=0)
    wakeups.notify("a")
    assert backend.called_once.wait(5)
    for number in range(2 * MAX_LANES):
        wakeups.notify(str(number))
    backend.may_return.set()
    wakeups.close()
    assert len(backend.called[1]) == MAX_LANES


def test_a_lane_with_a_new_message_during_its_wake_up_gets_another(backend: Backend) -> None:
    wakeups = WakeupThread(backend, pause=0)
    wakeups.notify("a")
    assert backend.called_once.wait(5)
    wakeups.notify("a")
    backend.may_return.set()
    wakeups.close()
    assert backend.called == [["a"], ["a"]]


def test_the_thread_ends_and_the_next_wake_up_starts_a_new_thread(backend: Backend) -> None:
    backend.may_return.set()
    wakeups = WakeupThread(backend, pause=0)
    wakeups.notify("a")
    assert wakeups.wait(5)
    wakeups.notify("b")
    assert wakeups.wait(5)
    assert backend.called == [["a"], ["b"]]


def test_an_outage_is_logged_once_and_later_wake_ups_are_sent(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.ERROR, "django_partnerstack")
    outcomes = iter([OSError("down"), OSError("down"), None, OSError("down again")])

    def broker(lanes: Sequence[str], stopping: threading.Event) -> None:
        if error := next(outcomes):
            raise error

    wakeups = WakeupThread(broker, pause=0)
    for _ in range(4):
        wakeups.notify("a")
        assert wakeups.wait(5)
    assert [str(record.exc_info[1]) for record in caplog.records] == ["down", "down again"]


def test_the_end_of_the_process_stops_a_running_wake_up(backend: Backend) -> None:
    stopped = threading.Event()

    def endless(lanes: Sequence[str], stopping: threading.Event) -> None:
        stopping.wait(60)
        stopped.set()

    wakeups = WakeupThread(endless, patience=0.05)
    wakeups.notify("a")
    wakeups.close()
    assert stopped.is_set()
