"""
``PARTNERSTACK_DISPATCH``: who delivers a message soon after it was queued.

A wake-up only saves time. If it is lost, the message is still in the database, and the next worker sends it.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from functools import cache
from importlib import import_module
from threading import Event

from django.utils.module_loading import import_string

from ..conf import conf
from ..connection import ConfigurationError
from .jobs import deliver
from .wakeup import Backend, WakeupThread

#: Messages that the site's own process sends at a time, each with a database connection.
THREADS = 2


def wake(lane: str) -> None:
    """
    Have the messages of a lane delivered soon, if ``PARTNERSTACK_DISPATCH`` asks for it.

    Returns at once and never fails, even if the wake-up does.
    """
    if conf.dispatch != "worker":
        wakeups(conf.dispatch).notify(lane)


@cache
def wakeups(dispatch: str) -> WakeupThread:
    """The thread of this process that sends wake-ups for a value of the setting."""
    return WakeupThread(BACKENDS.get(dispatch) or _by_path(dispatch))


def register_celery_tasks() -> None:
    """Register the tasks with Celery if the setting asks for it. A check reports a missing Celery."""
    if conf.dispatch == "celery":
        with suppress(ConfigurationError):
            import_module(f"{__name__}.celery")


def _immediate(lanes: Sequence[str], stopping: Event) -> None:
    deliver(lanes=lanes, threads=min(THREADS, len(lanes)), stopping=stopping)


def _tasks(lanes: Sequence[str], stopping: Event) -> None:
    from . import tasks

    tasks.deliver.enqueue()


def _celery(lanes: Sequence[str], stopping: Event) -> None:
    from . import celery

    # No retry: with a broker that is down it would delay all later wake-ups.
    celery.deliver.apply_async(retry=False)


def _by_path(path: str) -> Backend:
    def wake(lanes: Sequence[str], stopping: Event) -> None:
        for lane in lanes:
            import_string(path)(lane)

    return wake


BACKENDS: dict[str, Backend] = {"immediate": _immediate, "tasks": _tasks, "celery": _celery}
