"""This site's own cookie: the visitor's clicks, signed, the newest first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import Any

from django.core import signing
from django.http import HttpRequest, HttpResponse
from django.utils.cache import patch_cache_control

from ..conf import conf
from . import history
from .parameters import Click

SALT = "django_partnerstack.attribution"

#: The most that a browser must keep of a cookie, with room for its name.
LONGEST = 4000

#: The texts of a click, as they are packed; its time comes last.
TEXTS = ("click_id", "partner_key", "unread_key", "link_host", "path")


def dumps(clicks: Sequence[Click], *, salt: str = SALT) -> str:
    """
    Clicks as signed text that fits into a cookie.

    Where it would not, the oldest are left out, and at last all of the newest that credits nobody.
    """
    kept = list(clicks[: history.LENGTH])
    while True:
        signed = signing.dumps([_pack(click) for click in kept], salt=salt, compress=True)
        if len(signed) <= LONGEST:
            return signed
        if len(kept) == 1:
            kept = [replace(kept[0], unread_key="", path="")]
        else:
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
    except (signing.BadSignature, TypeError, ValueError, OverflowError, OSError):
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
    return [*(getattr(click, name) for name in TEXTS), int(click.at.timestamp())]


def _unpack(item: Any) -> Click:
    *texts, at = item
    if len(texts) != len(TEXTS) or not all(isinstance(text, str) for text in texts):
        raise TypeError("not a click")
    return Click(**dict(zip(TEXTS, texts, strict=True)), at=datetime.fromtimestamp(at, timezone.utc))
