"""How the demo talks, and how it gives up."""

from __future__ import annotations

import time
from collections.abc import Callable
from io import StringIO
from typing import Any

from django.core.management import call_command
from django.core.management.base import CommandError, OutputWrapper


class Telling:
    """Numbered steps with what they show below."""

    def __init__(self, out: OutputWrapper, errors: OutputWrapper) -> None:
        self.out = out
        #: Where a progress bar goes; lines instead of a bar would only repeat what is printed below.
        self.progress = errors if errors.isatty() else OutputWrapper(StringIO())
        self.number = 0

    def step(self, title: str) -> None:
        self.number += 1
        self.out.write(f"\n{self.number}. {title}")

    def say(self, text: str) -> None:
        self.out.write("\n".join(f"   {line}" for line in text.splitlines()))
        self.out.flush()

    def run(self, *command: str) -> None:
        """A command of this app, as one would type it, with what it prints."""
        self.say(f"$ manage.py {' '.join(command)}")
        printed = StringIO()
        call_command(*command, stdout=printed, stderr=self.progress)
        self.say(printed.getvalue())


def must(true: Any, otherwise: str) -> None:
    """The demo is a test as well: raises CommandError, which ends it with exit status 1."""
    if not true:
        raise CommandError(f"This is not as it must be: {otherwise}.")


def wait_until(true: Callable[[], Any], *, seconds: float, otherwise: str) -> None:
    until = time.monotonic() + seconds
    while not true():
        must(time.monotonic() < until, f"{otherwise} within {seconds:g} seconds")
        time.sleep(0.05)
