"""Several resources, one after the other or side by side."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from threading import Event
from typing import Any

from django.db import connections

from ..exceptions import AuthenticationFailed, NotSent, PartnerStackError
from .pull import Pulled, pull

#: After these no other resource has a chance either.
HOPELESS = (AuthenticationFailed, NotSent)


def run(
    names: Iterable[str], *, workers: int = 1, on_page: Callable[[Pulled], None], **options: Any
) -> Iterator[Pulled]:
    """
    Pull resources, and hand out what became of each as it ends.

    ``workers`` is how many are pulled at a time; more than one run in threads, each with a database
    connection of its own. ``options`` are those of ``pull``. An error of PartnerStack's is kept in the
    result's ``error``; it stops the other resources only if the keys are refused or there is no connection.
    """
    results = _side_by_side if workers > 1 else _in_turn
    for pulled in results(names, workers, on_page, options):
        yield pulled
        if isinstance(pulled.error, HOPELESS):
            return


def _in_turn(
    names: Iterable[str], workers: int, on_page: Callable[[Pulled], None], options: dict[str, Any]
) -> Iterator[Pulled]:
    return (_attempt(name, on_page, options) for name in names)


def _side_by_side(
    names: Iterable[str], workers: int, on_page: Callable[[Pulled], None], options: dict[str, Any]
) -> Iterator[Pulled]:
    stopped = Event()

    def page(pulled: Pulled) -> None:
        if stopped.is_set():
            raise PartnerStackError("Stopped because the whole run was.")
        on_page(pulled)

    pool = ThreadPoolExecutor(workers, thread_name_prefix="partnerstack-sync")
    try:
        pulls = [pool.submit(_attempt_in_thread, name, page, options) for name in names]
        yield from (done.result() for done in as_completed(pulls))
    finally:
        stopped.set()
        pool.shutdown(cancel_futures=True)


def _attempt(name: str, on_page: Callable[[Pulled], None], options: dict[str, Any]) -> Pulled:
    so_far = Pulled(name)

    def keep(pulled: Pulled) -> None:
        nonlocal so_far
        so_far = pulled
        on_page(pulled)

    try:
        return pull(name, on_page=keep, **options)
    except PartnerStackError as error:
        so_far.error = error
        return so_far


def _attempt_in_thread(name: str, on_page: Callable[[Pulled], None], options: dict[str, Any]) -> Pulled:
    try:
        return _attempt(name, on_page, options)
    finally:
        connections.close_all()
