"""Texts that carry a visitor's clicks where the cookie does not reach."""

from __future__ import annotations

from dataclasses import replace

from django.http import HttpRequest

from . import cookies
from .clicks import STATE_SEPARATOR, TOKEN_SALT, visit_of


def token(request: HttpRequest) -> str:
    """
    The visitor's clicks as a signed text, for forms and apps that cannot rely on the cookie.

    "" without clicks. It expires after PARTNERSTACK_ATTRIBUTION_DAYS.
    """
    clicks = visit_of(request).clicks
    return cookies.dumps(clicks, salt=TOKEN_SALT) if clicks else ""


def add_to_state(state: str, request: HttpRequest) -> str:
    """
    The ``state`` for an identity provider, with the visitor's last click added as a token.

    The provider returns the state, and the sign-up reads the click from it, even if the provider returns by a
    form of its own site (``response_mode=form_post``), with which browsers send no cookie. Compare the
    complete state that returns with the complete one that was sent. Unchanged without a click.
    """
    clicks = visit_of(request).clicks
    if not clicks:
        return state
    last = replace(clicks[0], path="", link_host="")
    return state + STATE_SEPARATOR + cookies.dumps((last,), salt=TOKEN_SALT)
