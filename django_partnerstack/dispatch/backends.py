"""What each value of ``PARTNERSTACK_DISPATCH`` does to have messages delivered."""

from __future__ import annotations

from collections.abc import Sequence
from threading import Event

from django.utils.module_loading import import_string

from .jobs import deliver
from .wakeup import Backend

#: Messages that the site's own process sends at a time, each with a database connection.
THREADS = 2


def backend(dispatch: str) -> Backend:
    """For a value of the setting: a key of ``BACKENDS``, or the path of a function that takes a lane."""
    return BACKENDS.get(dispatch) or _by_path(dispatch)


def _immediate(lanes: Sequence[str], stopping: Event) -> None:
    deliver(lanes=lanes, threads=THREADS, stopping=stopping)


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
