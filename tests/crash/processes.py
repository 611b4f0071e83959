"""
Processes that a test starts and waits for. Each is ended with the test.

They are forked from a process that has loaded Django, because that takes longer than most workers live.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

T = TypeVar("T")
Job = Callable[..., object]

context = multiprocessing.get_context("forkserver")
context.set_forkserver_preload(["tests.crash.loaded"])


def until(found: Callable[[], T], *, seconds: float, what: str) -> T:
    """Wait until ``found`` returns something true, and return it. Fails after ``seconds``."""
    deadline = time.monotonic() + seconds
    while not (result := found()):
        if time.monotonic() > deadline:
            raise AssertionError(f"Not within {seconds} s: {what}.")
        time.sleep(0.01)
    return result


def moment(seconds: float) -> None:
    """Let the processes run for some seconds, so that they are interrupted at an arbitrary point."""
    time.sleep(seconds)


def live(job: Job, output: Path, database: dict[str, Any], settings: dict[str, Any], args: Any) -> None:
    """What a process runs: ``job`` on this database with these settings."""
    from tests.crash import loaded

    file = os.open(output, os.O_WRONLY | os.O_CREAT)
    os.dup2(file, 1)
    os.dup2(file, 2)
    sys.stdout, sys.stderr = os.fdopen(1, "w", buffering=1), os.fdopen(2, "w", buffering=1)
    loaded.use(database, settings)
    threading.Thread(target=_end_with_the_test, daemon=True).start()
    job(*args)


def _end_with_the_test() -> None:
    """End this process if the process of the test was killed and cannot end it."""
    test = multiprocessing.parent_process()
    assert test
    test.join()
    os._exit(1)


class Child:
    def __init__(self, job: Job, output: Path, *more: Any) -> None:
        self.name = job.__qualname__
        self.output = output
        self.process = context.Process(target=live, args=(job, output, *more), daemon=True)
        self.process.start()

    @property
    def said(self) -> str:
        return self.output.read_text() if self.output.exists() else ""

    @property
    def is_ready(self) -> bool:
        return "ready" in self.said

    @property
    def code(self) -> int | None:
        """The exit status, or minus the number of the signal that ended it; None while it runs."""
        return self.process.exitcode

    def send(self, number: signal.Signals) -> None:
        assert self.process.pid
        if self.code is None:
            # It may just have ended by itself.
            with suppress(ProcessLookupError):
                os.kill(self.process.pid, number)

    def wait(self, seconds: float) -> int | None:
        """Wait for its end. Returns the exit status; None if it still runs after ``seconds``."""
        self.process.join(seconds)
        return self.code

    def end(self) -> None:
        self.process.kill()
        self.process.join()


class Family:
    """The processes of a test, which share a database."""

    def __init__(self, folder: Path, database: dict[str, Any], **settings: Any) -> None:
        self.folder, self.database, self.settings = folder, database, settings
        self.children: list[Child] = []

    def start(self, job: Job, *args: Any) -> Child:
        output = self.folder / f"{len(self.children)}.txt"
        self.children.append(Child(job, output, self.database, self.settings, args))
        return self.children[-1]

    def end(self) -> None:
        for child in self.children:
            child.end()
            # pytest shows it if the test failed.
            print(child.name, child.code, child.said[-2000:])
