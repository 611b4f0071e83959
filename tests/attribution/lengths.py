"""How many random visitors a test run tries."""

from __future__ import annotations

from hypothesis import settings

from tests.lengths import by_length

a_run_of_visitors = settings(max_examples=by_length(quick=500, usual=2_000, long=100_000), deadline=None)
a_run_of_keys = settings(max_examples=by_length(quick=100, usual=300, long=10_000), deadline=None)
a_run_of_histories = settings(max_examples=by_length(quick=100, usual=100, long=2_000), deadline=None)
a_run_of_journeys = settings(max_examples=by_length(quick=100, usual=300, long=10_000), deadline=None)
