"""
The cookies that scripts set on pages of other stacks: PartnerStack's script, and this app's ``landing.js``.

PartnerStack's cookies (docs.partnerstack.com/docs/advanced-usage) contain one click, and do not say when it
happened. The cookie of ``landing.js`` contains the last clicks with their times. They are not signed, and the
times are those of the visitor's clock.
"""

from __future__ import annotations

import hashlib
import re
from datetime import datetime, timedelta, timezone
from urllib.parse import unquote

from django.http import HttpRequest

from ..conf import conf
from .parameters import CLICK_IDS, Click, decode, first_click_id, first_key

#: PartnerStack's script decodes partner keys, also under the name of the encoded parameter.
KEYS = ("ps_partner_key", "growSumoPartnerKey")
CLICK_ID_PREFIX = "_ps_xid_"
#: In characters, with escapes. Browsers store no longer cookies, and longer click IDs are not valid.
MAX_LENGTH, MAX_CLICK_ID_LENGTH = 4096, 3 * 64

#: The cookie of ``landing.js``: clicks, the newest first, each "seconds.click ID.encoded partner key".
LANDING = "partnerstack_clicks"
#: At most as many clicks are read as are stored.
MAX_CLICKS = 5
ENTRY = re.compile(r"([0-9]{1,10})\.([A-Za-z0-9_-]{0,64})\.([A-Za-z0-9_-]{0,1360})", re.ASCII)


def undated(request: HttpRequest) -> Click | None:
    """The click in the cookies of PartnerStack's script. They do not contain the time: ``at`` is now."""
    others = sorted(name for name in request.COOKIES if name.startswith(CLICK_ID_PREFIX))
    click_id = first_click_id(_text(request, name, MAX_CLICK_ID_LENGTH) for name in (*CLICK_IDS, *others))
    partner_key = first_key(_text(request, name) for name in KEYS)
    if not (click_id or partner_key):
        return None
    now = datetime.now(timezone.utc)
    return Click(click_id=click_id, partner_key=partner_key, at=now, at_is_known=False)


def dated(request: HttpRequest) -> tuple[Click, ...]:
    """
    The clicks in the cookie of ``landing.js``, the newest first.

    A click from the future, by the visitor's clock, is one of now. Clicks that are older than
    PARTNERSTACK_ATTRIBUTION_DAYS are omitted.
    """
    now = datetime.now(timezone.utc)
    oldest = now - timedelta(days=conf.attribution_days)
    found = map(ENTRY.fullmatch, _text(request, LANDING).split("~")[:MAX_CLICKS])
    clicks = (_click(entry, now) for entry in found if entry)
    counting = [click for click in clicks if click.is_attributable and click.at >= oldest]
    return tuple(sorted(counting, key=lambda click: click.at, reverse=True))


def marks(request: HttpRequest) -> tuple[str, str]:
    """Texts that identify the clicks of PartnerStack's script and of ``landing.js``; "" without clicks."""
    click, landing = undated(request), request.COOKIES.get(LANDING, "")
    return _mark(f"{click.click_id} {click.partner_key}" if click else ""), _mark(landing)


def _mark(text: str) -> str:
    return hashlib.sha256(text.encode(errors="replace")).hexdigest()[:8] if text else ""


def _click(entry: re.Match[str], now: datetime) -> Click:
    seconds, click_id, encoded = entry.groups()
    at = min(datetime.fromtimestamp(int(seconds), timezone.utc), now)
    return Click(click_id=click_id, partner_key=decode(encoded), at=at)


def _text(request: HttpRequest, name: str, max_length: int = MAX_LENGTH) -> str:
    value = request.COOKIES.get(name, "")
    return unquote(value) if len(value) <= max_length else ""
