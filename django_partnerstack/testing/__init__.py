"""
Helpers for the tests of a site.

``SandboxAdapter`` answers the requests of a ``requests`` session, or of a ``Client``, from a
``django_partnerstack.sandbox.Sandbox``, without a server.
"""

from __future__ import annotations

from .adapter import SandboxAdapter

__all__ = ["SandboxAdapter"]
