"""
The signed cookie that keeps a visitor's clicks.

It also notes what the cookies of scripts contained when it was written, as it contains their clicks, too.
PartnerStack's cookies do not say when their click happened; if they contain another one later, that is newer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import Any, Literal, NamedTuple

from django.core import signing
from django.http import HttpRequest, HttpResponse
from django.utils.cache import patch_cache_control

from ..conf import conf
from .parameters import Click

SALT = "django_partnerstack.attribution"
#: In bytes. Browsers need not store more than 4096, including the cookie's name.
MAX_LENGTH = 4000
#: The order of a click's texts in the cookie. The time of the click follows them, and whether it is known.
TEXTS = ("click_id", "partner_key", "unread_key", "link_host", "path")
#: Headers that tell shared caches to store a response, whatever Cache-Control says.
SHARED_CACHE_HEADERS = (
    "CDN-Cache-Control",
    "Cloudflare-CDN-Cache-Control",
    "Surrogate-Control",
    "X-Accel-Expires",
)


class Stored(NamedTuple):
    """What the cookie contains. ``seen``: the marks of the scripts' cookies when it was written."""

    clicks: tuple[Click, ...] = ()
    seen: str = ""


def dumps(clicks: Sequence[Click], *, salt: str = SALT, seen: str = "") -> str:
    """
    Sign clicks, the newest first, as a text that fits into a cookie.

    ``seen``: as in ``Stored``. If the text would be too long, the oldest clicks are omitted, then what the
    newest click's attribution does not need: its landing page and its unreadable key.
    """
    stored = list(clicks)
    while True:
        signed = signing.dumps([seen, *map(_pack, stored)], salt=salt, compress=True)
        if len(signed) <= MAX_LENGTH:
            return signed
        if len(stored) == 1:
            stored = [replace(stored[0], unread_key="", path="")]
        else:
            stored.pop()


def loads(signed: str, *, salt: str = SALT) -> tuple[Click, ...]:
    """
    The clicks in a signed text, the newest first.

    Empty if the text was tampered with, has expired or is too long. Clicks that are older than
    PARTNERSTACK_ATTRIBUTION_DAYS are omitted. A click in the future, because another server's clock is ahead,
    counts as one of now.
    """
    return _read(signed, salt).clicks


def load(request: HttpRequest) -> Stored:
    """What this site's own cookie contains. Empty if it is missing or invalid."""
    return _read(request.COOKIES.get(conf.attribution_cookie, ""), SALT)


def save(response: HttpResponse, stored: Stored, request: HttpRequest) -> None:
    """Set the cookie. The response becomes private, because a shared cache must not store the cookie."""
    same_site = _same_site()
    response.set_cookie(
        conf.attribution_cookie,
        dumps(stored.clicks, seen=stored.seen),
        max_age=timedelta(days=conf.attribution_days),
        domain=conf.attribution_domain or None,
        # Browsers accept SameSite=None only from https, and from this machine.
        secure=request.is_secure() or not conf.django.DEBUG or same_site == "None",
        httponly=True,
        samesite=same_site,
    )
    _make_private(response)


def _same_site() -> Literal["Lax", "None"]:
    """
    The cookie's SameSite. By default that of Django's session cookie, which is needed by the same requests.

    Never "Strict": browsers would not send the cookie to the page where an identity provider's redirect ends.
    """
    chosen = conf.attribution_samesite or conf.django.SESSION_COOKIE_SAMESITE
    return "None" if chosen == "None" else "Lax"


def _make_private(response: HttpResponse) -> None:
    if "Cache-Control" in response:
        directives = response["Cache-Control"].split(",")
        kept = (each.strip() for each in directives if not each.strip().lower().startswith("s-maxage"))
        response["Cache-Control"] = ", ".join(kept)
    patch_cache_control(response, private=True)
    for name in SHARED_CACHE_HEADERS:
        del response[name]


def _read(signed: str, salt: str) -> Stored:
    if not 0 < len(signed) <= MAX_LENGTH:
        return Stored()
    max_age = timedelta(days=conf.attribution_days)
    now = datetime.now(timezone.utc)
    try:
        seen, *packed = signing.loads(signed, salt=salt, max_age=max_age)
        clicks = [_unpack(item, now) for item in packed]
    except (signing.BadSignature, TypeError, ValueError, OverflowError, OSError):
        return Stored()
    if not isinstance(seen, str):
        return Stored()
    return Stored(tuple(click for click in clicks if click.at >= now - max_age), seen)


def _pack(click: Click) -> list[Any]:
    return [*(getattr(click, name) for name in TEXTS), int(click.at.timestamp()), int(click.at_is_known)]


def _unpack(item: Any, now: datetime) -> Click:
    *texts, at, at_is_known = item
    if len(texts) != len(TEXTS) or not all(isinstance(text, str) for text in texts):
        raise TypeError("not a click")
    return Click(
        **dict(zip(TEXTS, texts, strict=True)),
        at=min(datetime.fromtimestamp(at, timezone.utc), now),
        at_is_known=bool(at_is_known),
    )
