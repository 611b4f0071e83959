from __future__ import annotations

from tests.outbox.conftest import site

__all__ = ["site"]
