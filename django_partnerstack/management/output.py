"""What a command prints: all of it, or one line that says that it could not."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from django.core.management.base import CommandError, OutputWrapper


@contextmanager
def printing(stdout: OutputWrapper) -> Iterator[None]:
    """Raise CommandError if the reader goes away before everything is printed, as ``head`` does."""
    try:
        yield
        stdout.flush()
    except BrokenPipeError:
        # Otherwise Python reports at exit that it could not write the rest.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise CommandError("The output was closed before the result was printed.") from None
