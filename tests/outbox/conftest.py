from __future__ import annotations

import pytest

from .site import Site


@pytest.fixture
def site(db: None) -> Site:
    return Site()
