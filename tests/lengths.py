"""
How many random examples a run tries, by the environment variable ``CRASH_LENGTH``.

``quick``: for the run that measures coverage (``tox run -e py``), and for MariaDB. ``long``: for
``tox run -e crash``. Unset: for all other environments.
"""

from __future__ import annotations

import os
from typing import TypeVar

T = TypeVar("T")

LENGTH = os.environ.get("CRASH_LENGTH", "")


def by_length(*, quick: T, usual: T, long: T) -> T:
    return {"quick": quick, "long": long}.get(LENGTH, usual)
