from __future__ import annotations

import pytest
from hypothesis import settings

from tests.lengths import by_length

# A busy machine is slow, not wrong.
settings.register_profile("tests", deadline=None, max_examples=by_length(quick=30, usual=100, long=100))
settings.load_profile("tests")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: item.get_closest_marker("starts_first") is None)
