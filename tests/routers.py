"""A database router that has no opinion, but notices what would go wrong at a site whose router has one."""

from __future__ import annotations

import sys
from typing import Any

#: The rooms that must read where they write, because a replica does not have yet what they decide by.
AT_ONCE = tuple(
    f"django_partnerstack.{room}"
    for room in ("attribution", "identity", "outbox", "sync", "throttle", "track", "webhooks", "worker")
)


class Attentive:
    def db_for_read(self, model: Any, **hints: Any) -> None:
        self.db_for_write(model, **hints)
        caller: Any = sys._getframe(1)
        while caller.f_globals.get("__name__", "").startswith("django."):
            caller = caller.f_back
        name = caller.f_globals["__name__"]
        is_own = model._meta.app_label == "partnerstack"
        assert not (is_own and name.startswith(AT_ONCE)), f"{name} reads {model.__name__} from a replica."

    def db_for_write(self, model: Any, **hints: Any) -> None:
        assert isinstance(model, type), f"The router is asked about {model!r}."
        assert hints.get("instance", ...) is not None, f"The router is asked about no object of {model!r}."
