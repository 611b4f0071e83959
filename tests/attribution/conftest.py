from __future__ import annotations

import pytest

from .converting import ConvertingSite


@pytest.fixture
def site(db: None) -> ConvertingSite:
    return ConvertingSite()
