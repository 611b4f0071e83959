"""
``PARTNERSTACK_DISPATCH``: who delivers a message soon after it was queued.

A wake-up only saves time. If it is lost, the message is still in the database, and the next worker sends it.
"""

from __future__ import annotations

from contextlib import suppress
from functools import cache
from importlib import import_module

from ..conf import conf
from ..connection import ConfigurationError
from .backends import backend
from .wakeup import WakeupThread

__all__ = ["register_celery_tasks", "wake", "wakeups"]


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
    return WakeupThread(backend(dispatch))


def register_celery_tasks() -> None:
    """Register the tasks with Celery if the setting asks for it. A check reports a missing Celery."""
    if conf.dispatch == "celery":
        with suppress(ConfigurationError):
            import_module(f"{__name__}.celery")
