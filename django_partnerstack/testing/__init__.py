"""
Helpers for the tests of a site.

``PartnerStack`` is a sandbox instead of PartnerStack, for the time of a test: in pytest as the fixture
``partnerstack``, in unittest through ``PartnerStackMixin``, elsewhere as a context manager.
``django_partnerstack.testing.factories`` creates rows of the mirrors. ``SandboxAdapter`` answers the requests
of a ``requests`` session, or of a ``Client``, from a ``django_partnerstack.sandbox.Sandbox``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .adapter import SandboxAdapter
    from .kit import PartnerStack
    from .mixin import PartnerStackMixin

__all__ = ["PartnerStack", "PartnerStackMixin", "SandboxAdapter"]


def __getattr__(name: str) -> Any:
    """Import a name once it is used: pytest imports this package in every run, before Django is set up."""
    if name == "SandboxAdapter":
        from .adapter import SandboxAdapter

        return SandboxAdapter
    if name == "PartnerStack":
        from .kit import PartnerStack

        return PartnerStack
    if name == "PartnerStackMixin":
        from .mixin import PartnerStackMixin

        return PartnerStackMixin
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
