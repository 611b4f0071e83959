"""What each value of ``PARTNERSTACK_DISPATCH`` does to have messages delivered."""

from __future__ import annotations

from collections.abc import Sequence
from threading import Event

from django.utils.module_loading import import_string

from .messenger import Waker
from .work import deliver

#: Messages that a host's own process sends at a time, each with a database connection.
THREADS = 2


def waker(dispatch: str) -> Waker:
    """For a value of the setting: one of ``WAKERS``, or the path of a function that takes a lane."""
    return WAKERS.get(dispatch) or _by_path(dispatch)


def _immediately(lanes: Sequence[str], stopping: Event) -> None:
    deliver(lanes=lanes, threads=THREADS, stopping=stopping)


def _by_task(lanes: Sequence[str], stopping: Event) -> None:
    from . import tasks

    tasks.deliver.enqueue()


def _by_celery(lanes: Sequence[str], stopping: Event) -> None:
    from . import celery

    # Not tried again here: a broker that is down would hold up all later wake-ups.
    celery.deliver.apply_async(retry=False)


def _by_path(path: str) -> Waker:
    def wake(lanes: Sequence[str], stopping: Event) -> None:
        for lane in lanes:
            import_string(path)(lane)

    return wake


WAKERS: dict[str, Waker] = {"immediate": _immediately, "tasks": _by_task, "celery": _by_celery}
