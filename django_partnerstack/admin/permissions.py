from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib.auth import get_permission_codename
from django.http import HttpRequest


def may(verb: str) -> Callable[[Any, HttpRequest], bool]:
    """A method of a ModelAdmin: whether the user holds the permission of this verb for its model."""

    def has_permission(model_admin: Any, request: HttpRequest) -> bool:
        opts = model_admin.opts
        return request.user.has_perm(f"{opts.app_label}.{get_permission_codename(verb, opts)}")

    return has_permission
