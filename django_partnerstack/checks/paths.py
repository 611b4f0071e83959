from __future__ import annotations

from django.utils.module_loading import import_string


def is_function(path: object) -> bool:
    """Whether it is the dotted path of something that can be called."""
    try:
        return callable(import_string(path))  # type: ignore[arg-type]
    except (ImportError, AttributeError, TypeError, ValueError):
        return False
