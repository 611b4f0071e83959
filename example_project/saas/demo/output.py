"""What the demo prints, and the checks that end it."""

from __future__ import annotations

import time
from collections.abc import Callable
from io import StringIO
from typing import Any

from django.core.management import call_command
from django.core.management.base import CommandError, OutputWrapper


class Output:
    """Numbered steps with indented text below."""

    def __init__(self, out: OutputWrapper, errors: OutputWrapper) -> None:
        self.out = out
        #: For a progress bar. Without a terminal a command prints lines instead, which its result repeats.
        self.progress = errors if errors.isatty() else OutputWrapper(StringIO())
        self.number = 0

    def step(self, title: str) -> None:
        self.number += 1
        self.out.write(f"\n{self.number}. {title}")

    def write(self, text: str) -> None:
        self.out.write("\n".join(f"   {line}" for line in text.splitlines()))
        self.out.flush()

    def run(self, *command: str) -> None:
        """Run a command of this app, and write it with its output."""
        self.write(f"$ manage.py {' '.join(command)}")
        printed = StringIO()
        call_command(*command, stdout=printed, stderr=self.progress)
        self.write(printed.getvalue())


def check(condition: Any, otherwise: str) -> None:
    """The demo is a test as well: raises CommandError, which ends it with exit status 1."""
    if not condition:
        raise CommandError(f"The demo failed: {otherwise}.")


def wait_until(condition: Callable[[], Any], *, seconds: float, otherwise: str) -> None:
    until = time.monotonic() + seconds
    while not condition():
        check(time.monotonic() < until, f"{otherwise} within {seconds:g} seconds")
        time.sleep(0.05)
