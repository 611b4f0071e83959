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


def waits_for_cpu(*pids: int | None) -> dict[str, float]:
    """
    For how many seconds each thread of these processes could not run, because others used all CPUs.

    Nothing where the system does not tell. On a machine that does nothing else it is 0.
    """
    waits = {}
    for thread in (path for pid in pids for path in Path(f"/proc/{pid}/task").glob("*/schedstat")):
        with suppress(OSError):
            waits[thread.parent.name] = int(thread.read_text().split()[1]) / 10**9
    return waits


def longest_wait(before: dict[str, float], after: dict[str, float]) -> float:
    """The seconds of the thread that could run least. What a test bounds is the time without them."""
    return max((seconds - before.get(thread, 0) for thread, seconds in after.items()), default=0)


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


class Waiting:
    """Records for how long the processes of a family could not run, ten times a second."""

    def __init__(self, family: Family, clock: Callable[[], float]) -> None:
        self._family, self._clock = family, clock
        self._seen: list[tuple[float, dict[str, float]]] = []
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._record, daemon=True)

    def _record(self) -> None:
        while not self._over.wait(0.1):
            pids = [os.getpid(), *(child.process.pid for child in self._family.children)]
            self._seen.append((self._clock(), waits_for_cpu(*pids)))

    def __enter__(self) -> Waiting:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._over.set()
        self._thread.join()

    def between(self, begin: float, end: float) -> float:
        """For how many seconds of this span the thread that could run least could not run."""
        seen = [waits for at, waits in self._seen if begin - 0.1 <= at <= end + 0.1]
        return longest_wait(seen[0], seen[-1]) if seen else 0


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
