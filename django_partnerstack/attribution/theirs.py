"""PartnerStack's own cookies, which its script sets (docs.partnerstack.com/docs/advanced-usage)."""

from __future__ import annotations

from urllib.parse import unquote

from django.http import HttpRequest
from django.utils import timezone

from . import parameters
from .parameters import Click

#: The partner keys in them are decoded already, also under the name that links encode.
CLICK_IDS = ("ps_xid", "gsxid")
PARTNER_KEYS = ("ps_partner_key", "growSumoPartnerKey")
CLICK_ID_PREFIX = "_ps_xid_"


def their_click(request: HttpRequest) -> Click | None:
    """The click that they tell of, whenever it was made."""
    cookies = {name: unquote(value) for name, value in request.COOKIES.items()}
    named = [name for name in cookies if name.startswith(CLICK_ID_PREFIX)]
    ids = (cookies.get(name, "") for name in (*CLICK_IDS, *named))
    click_id = next(filter(parameters.is_click_id, ids), "")
    keys = (parameters.printable(cookies.get(name, "")) for name in PARTNER_KEYS)
    partner_key = next(filter(None, keys), "")
    if not (click_id or partner_key):
        return None
    return Click(click_id=click_id, partner_key=partner_key, at=timezone.now())
