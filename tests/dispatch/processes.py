"""Processes that a test starts as an operator would. Each is ended by its own process id."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

ROOT = Path(__file__).parents[2]


def until(is_so: Callable[[], object], *, seconds: float, output: Callable[[], str]) -> None:
    """Wait for another process. Fails with ``output`` after ``seconds``."""
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline, f"Not within {seconds} s: {output()}"
        time.sleep(0.02)


class Process:
    """``python -m`` with a module and its arguments."""

    def __init__(self, arguments: tuple[str, ...], output: Path, env: Mapping[str, str]) -> None:
        self.output = output
        with output.open("wb") as file:
            self.popen = subprocess.Popen(
                [sys.executable, "-m", *arguments],
                cwd=ROOT,
                env={**os.environ, **env},
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
            )

    @property
    def printed(self) -> str:
        return self.output.read_text()

    def end(self) -> None:
        self.popen.kill()
        self.popen.wait()
