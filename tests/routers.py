"""A database router that has no opinion, but notices a question about no model or about no object."""

from __future__ import annotations

from typing import Any


class Attentive:
    def db_for_read(self, model: Any, **hints: Any) -> None:
        assert isinstance(model, type), model
        assert hints.get("instance", ...) is not None, model

    db_for_write = db_for_read
