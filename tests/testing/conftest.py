from __future__ import annotations

from typing import Any

import pytest

from django_partnerstack.sandbox import Sandbox
from example_project import settings as example


@pytest.fixture
def sandbox() -> Sandbox:
    return Sandbox(clock=lambda: 1_800_000_000.0)


@pytest.fixture
def example_site(settings: Any) -> None:
    """The pages of the example site."""
    for name in ("LOGIN_REDIRECT_URL", "LOGIN_URL", "LOGOUT_REDIRECT_URL", "ROOT_URLCONF"):
        setattr(settings, name, getattr(example, name))
