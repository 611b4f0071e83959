"""How many random visitors a run has: few, or many with ``CRASH_LENGTH=long`` (``tox run -e crash``)."""

from __future__ import annotations

import os

from hypothesis import settings

LONG = os.environ.get("CRASH_LENGTH") == "long"

a_run_of_visitors = settings(max_examples=100_000 if LONG else 2_000, deadline=None)
a_run_of_keys = settings(max_examples=10_000 if LONG else 300, deadline=None)
a_run_of_histories = settings(max_examples=2_000 if LONG else 100, deadline=None)
