"""Whether the site has ``AttributionMiddleware``, or a subclass of it."""

from __future__ import annotations

from django.utils.module_loading import import_string

from ..conf import conf

MIDDLEWARE = "django_partnerstack.middleware.AttributionMiddleware"


def is_installed() -> bool:
    return any(MIDDLEWARE in classes_of(path) for path in conf.django.MIDDLEWARE)


def classes_of(path: str) -> set[str]:
    """The names of a middleware and of its base classes."""
    try:
        middleware = import_string(path)
    except (ImportError, RuntimeError):  # Not importable, or its app is not installed: Django reports it.
        return {path}
    bases = getattr(middleware, "__mro__", ())
    return {path, *(f"{base.__module__}.{base.__qualname__}" for base in bases)}
