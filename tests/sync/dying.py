"""
Pulls that kill themselves, each in a child process of this program.

Reads one line of JSON for each pull, with the arguments of ``pull_and_die``, and prints the exit status.
"""

import json
import os
import signal
import sys
from collections.abc import Callable
from typing import Any

import django
from django.db import connection

PLACES = ("before the commit", "after the commit", "after the page")


def countdown(count: int) -> Callable[..., None]:
    """Kills this process at the ``count``-th call."""
    left = [count]

    def call(*args: Any, **kwargs: Any) -> None:
        left[0] -= 1
        if not left[0]:
            os.kill(os.getpid(), signal.SIGKILL)

    return call


def pull_and_die(url: str, keys: list[str], place: str, page: int, full: bool) -> None:
    """``place``: before the commit of a page, right after it (in a receiver), or after the whole page."""
    from django_partnerstack.client import Client
    from django_partnerstack.signals import objects_synced
    from django_partnerstack.sync import pull

    die = countdown(page)
    last_write = "syncseen" if full else "customer"

    def watch(execute: Callable, sql: str, params: Any, many: bool, context: Any) -> Any:
        result = execute(sql, params, many, context)
        if sql.startswith("INSERT") and last_write in sql[:60]:
            die()
        return result

    options = {"on_page": die} if place == "after the page" else {}
    if place == "after the commit":
        objects_synced.connect(die)
    if place == "before the commit":
        connection.execute_wrappers.append(watch)
    pull("customers", client=Client(*keys, api_url=url), mode="test", full=full, **options)


def main() -> None:
    django.setup()
    for line in sys.stdin:
        child = os.fork()
        if not child:
            pull_and_die(**json.loads(line))
            os._exit(0)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)


if __name__ == "__main__":
    main()
