"""
What PARTNERSTACK_PRIVACY permits to send about a customer.

It is applied when a message is queued, so that the outbox keeps no more than that, and again when the message
leaves, so that a setting that has become stricter covers what was queued before.
"""

from __future__ import annotations

import hashlib
from typing import Any

from ..conf import conf

#: Anonymous addresses by the values of the setting. The domain ``.invalid`` belongs to nobody.
HASHED, NONE = "@hashed.invalid", "@none.invalid"

#: What a conversion tells about the visit. Sent only if the setting is "full".
VISIT = ("origin", "ip_address", "user_agent")


def permitted(content: dict[str, Any]) -> dict[str, Any]:
    """
    The content as far as the setting permits sending it. Safe to repeat.

    PartnerStack requires an e-mail address, so an anonymous address replaces one that must not be sent. Its
    documentation allows anonymous values in conversions. An anonymous address never becomes less anonymous.
    Only the content about a customer is changed.
    """
    if "customer_key" not in content:
        return content
    withheld = () if conf.privacy == "full" else VISIT
    if conf.privacy in ("full", "contact"):
        return {name: value for name, value in content.items() if name not in withheld}
    found = {name: value for name, value in content.items() if name not in (*withheld, "name")}
    if conf.privacy != "hashed":
        found["email"] = f"{_hash(content['customer_key'])}{NONE}"
    elif found.get("email"):
        found["email"] = hashed(found["email"])
    return found


def hashed(email: str) -> str:
    """The anonymous address of an e-mail address; unchanged if it is anonymous already."""
    return email if email.endswith((HASHED, NONE)) else f"{_hash(email.strip().lower())}{HASHED}"


def same_address(queued: str, shown: str) -> bool:
    """
    Whether PartnerStack's address can be the queued one, whatever the setting was when it was sent.

    Ignores case. An address that was withheld altogether agrees with any.
    """
    queued, shown = queued.strip().lower(), shown.strip().lower()
    return shown in (queued, hashed(queued)) or hashed(shown) == queued or shown.endswith(NONE)


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
