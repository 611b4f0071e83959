from __future__ import annotations

import pytest

from django_partnerstack.sandbox import Sandbox


@pytest.fixture
def sandbox() -> Sandbox:
    return Sandbox(clock=lambda: 1_800_000_000.0)
