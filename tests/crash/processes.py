"""Processes that a test starts, and waits for. All are ended with the test, each by its number."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

ROOT = Path(__file__).parents[2]
T = TypeVar("T")


def until(found: Callable[[], T], *, seconds: float, what: str) -> T:
    """What ``found`` returns, once it is something. The only place where these tests wait."""
    deadline = time.monotonic() + seconds
    while not (result := found()):
        if time.monotonic() > deadline:
            raise AssertionError(f"Not within {seconds} s: {what}.")
        time.sleep(0.01)
    return result


def moment(seconds: float) -> None:
    """A real process is given so long, so that what comes next finds it anywhere."""
    time.sleep(seconds)


class Child:
    def __init__(self, command: list[str], output: Path, env: Mapping[str, str]) -> None:
        self.output = output
        with output.open("wb") as file:
            self.process = subprocess.Popen(
                command,
                cwd=ROOT,
                env={**os.environ, "DJANGO_SETTINGS_MODULE": "tests.crash.settings", **env},
                stdin=subprocess.PIPE,
                stdout=file,
                stderr=subprocess.STDOUT,
                bufsize=0,
            )
        self.began = time.monotonic()

    @property
    def said(self) -> str:
        return self.output.read_text()

    @property
    def is_ready(self) -> bool:
        return "ready" in self.said

    def code(self) -> int | None:
        """Its exit status, or minus the signal that ended it; None while it runs."""
        return self.process.poll()

    def tell(self, line: str) -> None:
        assert self.process.stdin
        self.process.stdin.write(f"{line}\n".encode())

    def send(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def wait(self, seconds: float) -> int:
        """Its exit status once it has ended."""
        return self.process.wait(seconds)

    def end(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        if self.process.stdin:
            self.process.stdin.close()


class Family:
    """The children of one test."""

    def __init__(self, folder: Path, env: Mapping[str, str]) -> None:
        self.folder, self.env = folder, env
        self.children: list[Child] = []

    def start(self, module: str, *arguments: object, prefix: tuple[str, ...] = (), **env: str) -> Child:
        command = [*prefix, sys.executable, "-m", module, *map(str, arguments)]
        output = self.folder / f"{len(self.children)}.txt"
        self.children.append(Child(command, output, {**self.env, **env}))
        return self.children[-1]

    def worker(self, *arguments: object, **env: str) -> Child:
        return self.start("tests.crash.worker", *arguments, **env)

    def loop(self, **env: str) -> Child:
        """The command itself."""
        return self.start("django", "partnerstack_push", "--loop", **env)

    def end(self) -> None:
        for child in self.children:
            child.end()
            # Shown if the test has failed.
            print(child.process.args, child.code(), child.said[-2000:], sep="\n")
