"""Several resources, one after the other or side by side."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from typing import Any

from django.db import connections

from ..exceptions import PartnerStackError
from .pull import Pulled, pull


def run(
    names: Iterable[str], *, workers: int = 1, on_page: Callable[[Pulled], None], **options: Any
) -> Iterator[Pulled]:
    """
    Pull resources, and hand out what became of each as it ends.

    ``workers`` is how many are pulled at a time; more than one run in threads, each with a database
    connection of its own. ``options`` are those of ``pull``. An error of PartnerStack's is kept in the
    result's ``error`` and does not stop the other resources.
    """
    if workers == 1:
        yield from (_attempt(name, on_page, options) for name in names)
        return
    with ThreadPoolExecutor(workers, thread_name_prefix="partnerstack-sync") as pool:
        pulls = [pool.submit(_attempt_in_thread, name, on_page, options) for name in names]
        yield from (done.result() for done in as_completed(pulls))


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
