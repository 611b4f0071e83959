"""
The parameters that PartnerStack's redirector adds to the address of a landing page.

Source: docs.partnerstack.com/docs/getting-integrated-with-s2s and /docs/advanced-usage. The redirector still
sends the older names as well. Visitors can send anything, so no function here raises, and no page shows
what they sent.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from django.http import QueryDict

#: The newer names come first.
CLICK_IDS = ("ps_xid", "gsxid")
PARTNER_KEYS = ("ps_partner_key", "gspk")
#: The host of the link that was clicked.
LINK_HOST = "pscd"

#: PartnerStack's samples have 14 letters and digits. Other harmless IDs are accepted, too.
CLICK_ID = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)
#: Of a partner key or a landing page, in characters.
MAX_TEXT_LENGTH = 255
#: That many characters of four bytes each, in base64.
MAX_ENCODED_LENGTH = 1360
#: The characters of both base64 alphabets, for keys that cannot be decoded.
ENCODED = re.compile(r"[A-Za-z0-9+/_ =-]+", re.ASCII)
#: From base64 for URLs to standard base64. A plus sign that was not escaped arrives as a space.
TO_STANDARD_BASE64 = str.maketrans("-_ ", "+/+")
HOST = re.compile(r"[A-Za-z0-9.-]{1,240}(:[0-9]{1,5})?", re.ASCII)


@dataclass(frozen=True, kw_only=True)
class Click:
    """
    A click on a partner's link.

    ``partner_key`` is decoded. ``unread_key`` is the encoded key if it could not be decoded; PartnerStack can
    still attribute such a click by its ``click_id``. ``link_host``: the host of the link. ``path``: the
    landing page. ``at``: when it happened, with a time zone; if ``at_is_known`` is False, the latest possible
    time.
    """

    click_id: str = ""
    partner_key: str = ""
    unread_key: str = ""
    link_host: str = ""
    at: datetime
    at_is_known: bool = True
    path: str = ""

    @property
    def is_attributable(self) -> bool:
        """Whether a customer can be attributed by this click."""
        return bool(self.click_id or self.partner_key)

    def is_same(self, other: Click) -> bool:
        """Whether both are one click. Without both click IDs, only the partner can tell."""
        if self.click_id and other.click_id:
            return self.click_id == other.click_id
        return bool(self.partner_key) and self.partner_key == other.partner_key


def read(query: QueryDict, *, at: datetime, path: str, at_is_known: bool = True) -> Click | None:
    """
    The click that the parameters of a landing page describe, or None.

    If a parameter occurs twice, its last valid value counts.
    """
    click_id = first_click_id(_values(query, CLICK_IDS))
    encoded = list(_values(query, PARTNER_KEYS))
    partner_key = first_key(map(decode, encoded))
    unread_key = "" if partner_key else first_key(encoded)
    if not (click_id or partner_key or ENCODED.fullmatch(unread_key)):
        return None
    host, path = query.get(LINK_HOST, ""), path[:MAX_TEXT_LENGTH]
    return Click(
        click_id=click_id,
        partner_key=partner_key,
        unread_key=unread_key,
        link_host=host if HOST.fullmatch(host) else "",
        at=at,
        at_is_known=at_is_known,
        path=path if is_text(path) else "",
    )


def _values(query: QueryDict, names: Iterable[str]) -> Iterator[str]:
    for name in names:
        yield from reversed(query.getlist(name))


def first_click_id(values: Iterable[str]) -> str:
    """The first value that can be a click ID, or ""."""
    return next(filter(CLICK_ID.fullmatch, values), "")


def first_key(values: Iterable[str]) -> str:
    """The first value that can be a partner key, or ""."""
    return next(filter(is_text, values), "")


def is_text(value: str) -> bool:
    """Whether a value consists of 1 to 255 printable characters, as partner keys do."""
    return 0 < len(value) <= MAX_TEXT_LENGTH and value.isprintable()


def decode(encoded: str) -> str:
    """
    The partner key in a link, or "" if it cannot be decoded.

    Links contain it in base64 without padding, but PartnerStack's own example is not base64. So a key counts
    as decoded only if it encodes to the same text again.
    """
    standard = encoded.rstrip("=").translate(TO_STANDARD_BASE64)
    if not 0 < len(standard) <= MAX_ENCODED_LENGTH:
        return ""
    try:
        raw = base64.b64decode(standard + "=" * (-len(standard) % 4), validate=True)
        key = raw.decode()
    except (binascii.Error, ValueError):
        return ""
    same = base64.b64encode(raw).decode().rstrip("=") == standard
    return key if same and is_text(key) else ""


def encode(partner_key: str) -> str:
    """A partner key as links contain it: in base64, without padding."""
    return base64.b64encode(partner_key.encode()).decode().rstrip("=")
