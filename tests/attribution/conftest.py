from __future__ import annotations

import os

import pytest
from hypothesis import settings

from .converting import ConvertingSite

#: The full length, as ``tox run -e crash`` has it.
LONG = os.environ.get("CRASH_LENGTH") == "long"

settings.register_profile("visitors", deadline=None, max_examples=100_000 if LONG else 2_000)
settings.register_profile("keys", deadline=None, max_examples=100_000 if LONG else 300)
settings.register_profile("clicks", deadline=None, max_examples=10_000 if LONG else 100)


@pytest.fixture
def site(db: None) -> ConvertingSite:
    return ConvertingSite()
