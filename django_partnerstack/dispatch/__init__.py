"""
Who wakes a worker when a message is queued: ``PARTNERSTACK_DISPATCH``.

A wake-up only makes a message leave sooner. One that is lost loses nothing: the message is in the database,
and the next worker that looks sends it.
"""

from __future__ import annotations

from contextlib import suppress
from functools import cache
from importlib import import_module

from ..conf import conf
from ..connection import ConfigurationError
from .messenger import WakeupThread
from .wakers import waker

__all__ = ["load", "messenger", "wake"]


def wake(lane: str) -> None:
    """
    Have somebody deliver what waits in a lane, if the setting says so now.

    Returns at once, whatever happens to the wake-up.
    """
    if conf.dispatch != "worker":
        messenger(conf.dispatch).tell(lane)


@cache
def messenger(dispatch: str) -> WakeupThread:
    """This process's messenger for a value of the setting."""
    return WakeupThread(waker(dispatch))


def load() -> None:
    """Make the tasks known to Celery's workers, if it is to deliver. What is wrong, a check says."""
    if conf.dispatch == "celery":
        with suppress(ConfigurationError):
            import_module(f"{__name__}.celery")
