"""This site's own cookie: the visitor's clicks, signed, the newest first."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta, timezone
from typing import Any

from django.core import signing
from django.http import HttpRequest, HttpResponse
from django.utils.cache import patch_cache_control

from ..conf import conf
from .parameters import Click

SALT = "django_partnerstack.attribution"

#: Clicks that are remembered, and the most that a browser must keep of a cookie.
HISTORY, LONGEST = 5, 4000

FIELDS = ("click_id", "partner_key", "unread_key", "at", "path")


def dumps(clicks: Sequence[Click], *, salt: str = SALT) -> str:
    """Clicks as signed text that fits into a cookie; the oldest are left out where it would not."""
    kept = list(clicks[:HISTORY])
    while True:
        signed = signing.dumps([_pack(click) for click in kept], salt=salt, compress=True)
        if len(signed) <= LONGEST or len(kept) == 1:
            return signed
        kept.pop()


def loads(signed: str, *, salt: str = SALT) -> tuple[Click, ...]:
    """
    The clicks of a signed text, the newest first; none if it was tampered with, is too old or too long.

    Clicks that are older than PARTNERSTACK_ATTRIBUTION_DAYS are left out.
    """
    if not 0 < len(signed) <= LONGEST:
        return ()
    days = timedelta(days=conf.attribution_days)
    try:
        packed = signing.loads(signed, salt=salt, max_age=days)
        clicks = [_unpack(item) for item in packed]
    except (signing.BadSignature, TypeError, ValueError, OverflowError):
        return ()
    now = datetime.now(timezone.utc)
    return tuple(click for click in clicks if now - click.at <= days)


def save(response: HttpResponse, clicks: Sequence[Click], request: HttpRequest) -> None:
    """Keep clicks with the visitor. The response becomes private, so that no cache hands it to others."""
    response.set_cookie(
        conf.attribution_cookie,
        dumps(clicks),
        max_age=timedelta(days=conf.attribution_days),
        domain=conf.attribution_domain or None,
        secure=request.is_secure() or not conf.debug,
        httponly=True,
        samesite="Lax",
    )
    patch_cache_control(response, private=True)


def _pack(click: Click) -> list[Any]:
    return [*(getattr(click, name) for name in FIELDS if name != "at"), int(click.at.timestamp())]


def _unpack(item: Any) -> Click:
    click_id, partner_key, unread_key, path, at = item
    if not all(isinstance(text, str) for text in (click_id, partner_key, unread_key, path)):
        raise TypeError("not a click")
    when = datetime.fromtimestamp(at, timezone.utc)
    return Click(click_id=click_id, partner_key=partner_key, unread_key=unread_key, path=path, at=when)
