"""
The cookies that carry clicks: this site's own, which is signed, and those of PartnerStack's script.

Source for the latter: docs.partnerstack.com/docs/advanced-usage.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import Any
from urllib.parse import unquote

from django.core import signing
from django.http import HttpRequest, HttpResponse
from django.utils.cache import patch_cache_control
from django.utils.timezone import now

from ..conf import conf
from .parameters import CLICK_IDS, Click, first_click_id, first_key

SALT = "django_partnerstack.attribution"
#: In bytes. Browsers need not store more than 4096, including the cookie's name.
MAX_LENGTH = 4000
#: How many clicks of a visitor are stored.
HISTORY_LENGTH = 5
#: The order of a click's texts in the cookie. The time of the click follows them.
TEXTS = ("click_id", "partner_key", "unread_key", "link_host", "path")

#: PartnerStack's script decodes partner keys, also under the name of the encoded parameter.
PARTNERSTACK_KEYS = ("ps_partner_key", "growSumoPartnerKey")
PARTNERSTACK_CLICK_ID_PREFIX = "_ps_xid_"


def dumps(clicks: Sequence[Click], *, salt: str = SALT) -> str:
    """
    Sign clicks, the newest first, as a text that fits into a cookie.

    If the text would be too long, the oldest clicks are omitted, then what the newest click's attribution
    does not need: its landing page and its unreadable key.
    """
    stored = list(clicks[:HISTORY_LENGTH])
    while True:
        signed = signing.dumps([_pack(click) for click in stored], salt=salt, compress=True)
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
    PARTNERSTACK_ATTRIBUTION_DAYS are omitted.
    """
    if not 0 < len(signed) <= MAX_LENGTH:
        return ()
    max_age = timedelta(days=conf.attribution_days)
    try:
        packed = signing.loads(signed, salt=salt, max_age=max_age)
        clicks = [_unpack(item) for item in packed]
    except (signing.BadSignature, TypeError, ValueError, OverflowError, OSError):
        return ()
    oldest = datetime.now(timezone.utc) - max_age
    return tuple(click for click in clicks if click.at >= oldest)


def load(request: HttpRequest) -> tuple[Click, ...]:
    """The clicks in this site's own cookie, the newest first."""
    return loads(request.COOKIES.get(conf.attribution_cookie, ""))


def save(response: HttpResponse, clicks: Sequence[Click], request: HttpRequest) -> None:
    """Set the cookie. The response becomes private, because a shared cache must not store the cookie."""
    response.set_cookie(
        conf.attribution_cookie,
        dumps(clicks),
        max_age=timedelta(days=conf.attribution_days),
        domain=conf.attribution_domain or None,
        secure=request.is_secure() or not conf.django.DEBUG,
        httponly=True,
        samesite="Lax",
    )
    patch_cache_control(response, private=True)


def click_from_partnerstack_cookies(request: HttpRequest) -> Click | None:
    """The click in the cookies of PartnerStack's script. They do not say when it happened: ``at`` is now."""
    cookies = {name: unquote(value) for name, value in request.COOKIES.items()}
    names = (*CLICK_IDS, *(name for name in cookies if name.startswith(PARTNERSTACK_CLICK_ID_PREFIX)))
    click_id = first_click_id(cookies.get(name, "") for name in names)
    partner_key = first_key(cookies.get(name, "") for name in PARTNERSTACK_KEYS)
    if not (click_id or partner_key):
        return None
    return Click(click_id=click_id, partner_key=partner_key, at=now())


def _pack(click: Click) -> list[Any]:
    return [*(getattr(click, name) for name in TEXTS), int(click.at.timestamp())]


def _unpack(item: Any) -> Click:
    *texts, at = item
    if len(texts) != len(TEXTS) or not all(isinstance(text, str) for text in texts):
        raise TypeError("not a click")
    return Click(**dict(zip(TEXTS, texts, strict=True)), at=datetime.fromtimestamp(at, timezone.utc))
