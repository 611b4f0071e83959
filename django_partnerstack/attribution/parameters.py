"""
Reading a partner's link: what PartnerStack's redirector adds to the landing page's address.

Source: docs.partnerstack.com/docs/getting-integrated-with-s2s and /docs/advanced-usage; the older names are
still sent beside the new ones. Nothing in here raises, whatever a visitor sends, and nothing is reflected.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

#: New names before old ones.
CLICK_IDS = ("ps_xid", "gsxid")
PARTNER_KEYS = ("ps_partner_key", "gspk")
#: Found in the address of every landing page, and in hardly any other: only those are taken apart.
NAMES = re.compile("|".join((*CLICK_IDS, *PARTNER_KEYS)))

#: Every sample has 14 letters and digits; others are taken as long as they are harmless.
CLICK_ID = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)
LONGEST_KEY = 255
#: Of a key of 255 characters, four bytes each, in base64.
LONGEST_ENCODED = 1360
#: What may be an encoded key, in either alphabet, whether or not it can be read.
ENCODED = re.compile(r"[A-Za-z0-9+/_ =-]+", re.ASCII)
#: To the standard alphabet, from the one for URLs. A plus sign that was not escaped arrives as a space.
ALPHABET = str.maketrans("-_ ", "+/+")

#: The host of the link that was clicked.
LINK_HOST = "pscd"
HOST = re.compile(r"[A-Za-z0-9.-]{1,240}(:[0-9]{1,5})?", re.ASCII)


@dataclass(frozen=True, kw_only=True)
class Click:
    """
    One click on a partner's link.

    ``partner_key`` is decoded; ``unread_key`` is the key as it came where it could not be decoded, which a
    click id makes good for. ``link_host``: of the link, ``path``: of the landing page.
    """

    click_id: str = ""
    partner_key: str = ""
    unread_key: str = ""
    link_host: str = ""
    at: datetime
    path: str = ""

    @property
    def names_nobody(self) -> bool:
        """Whether nobody can be credited for it."""
        return not (self.click_id or self.partner_key)


def read(query: Mapping[str, str], *, at: datetime, path: str) -> Click | None:
    """The click that a landing page's parameters tell of, or None."""
    click_id = next((query[name] for name in CLICK_IDS if is_click_id(query.get(name, ""))), "")
    encoded = [query[name] for name in PARTNER_KEYS if query.get(name)]
    partner_key = next(filter(None, map(decode, encoded)), "")
    unread = "" if partner_key else next(filter(None, map(printable, encoded)), "")
    if not (click_id or partner_key or ENCODED.fullmatch(unread)):
        return None
    host = query.get(LINK_HOST, "")
    return Click(
        click_id=click_id,
        partner_key=partner_key,
        unread_key=unread,
        link_host=host if HOST.fullmatch(host) else "",
        at=at,
        path=printable(path[:LONGEST_KEY]),
    )


def is_click_id(value: str) -> bool:
    return CLICK_ID.fullmatch(value) is not None


def decode(encoded: str) -> str:
    """
    The partner key in a link; "" if there is none that can be read.

    Links carry it in base64 without padding; the official example is not base64 at all. Only what encodes
    to the same text again counts as read.
    """
    standard = encoded.rstrip("=").translate(ALPHABET)
    if not 0 < len(standard) <= LONGEST_ENCODED:
        return ""
    try:
        raw = base64.b64decode(standard + "=" * (-len(standard) % 4), validate=True)
        key = raw.decode()
    except (binascii.Error, ValueError):
        return ""
    again = base64.b64encode(raw).decode().rstrip("=")
    return printable(key) if again == standard else ""


def encode(partner_key: str) -> str:
    """A partner key as links carry it."""
    return base64.b64encode(partner_key.encode()).decode().rstrip("=")


def printable(text: str) -> str:
    """The text if it can be a key: printable and not too long. Else ""."""
    return text if 0 < len(text) <= LONGEST_KEY and text.isprintable() else ""
