"""
Whether an object at PartnerStack is what a message reports. The same key alone does not prove it.

Another site on the same account, or an earlier development database, can have used the key.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ..conf import conf
from ..models import Customer
from .permitted import same_address

#: In the reason of a message whose customer key belongs to somebody else. A check searches for it.
ANOTHER_EMAIL = "with another email"


@dataclass(frozen=True)
class Comparison:
    """
    A comparison of what was sent with what PartnerStack shows.

    ``difference``: the first field in which they differ, in words; empty if none does. ``asked``: how many of
    the fields were sent, not counting the key. ``compared``: how many of those PartnerStack shows.
    """

    difference: str = ""
    asked: int = 0
    compared: int = 0

    def proves(self, created_at: datetime | None, since: datetime) -> bool:
        """
        Whether the object is the effect of an attempt after ``since``.

        A field that PartnerStack does not show is no difference. If it shows none of the fields that were
        sent, its creation time must not be before ``since``. If no field was sent, the key is enough.
        """
        if self.difference:
            return False
        return self.compared > 0 or self.asked == 0 or (created_at is not None and created_at >= since)


def compare(
    fields: Iterable[str], content: Mapping[str, Any], record: Any, *, key_field: str = ""
) -> Comparison:
    """Compare these fields of the content with a record."""
    asked = compared = 0
    for name in fields:
        wanted = content.get(name)
        if wanted in (None, ""):
            continue
        asked += name != key_field
        shown = SHOWN.get(name, _attribute)(record, name)
        if not shown:
            continue
        compared += name != key_field
        same = SAME.get(name, _is_equal)
        if not any(same(wanted, each) for each in shown):
            return Comparison(f"another {name}{_described(name, wanted, shown[0])}", asked, compared)
    return Comparison("", asked, compared)


def _attribute(record: Any, name: str) -> list[Any]:
    value = getattr(record, name, None)
    return [] if value in (None, "") else [value]


def _partner(record: Any, name: str) -> list[Any]:
    """A partner can be named by its partner key or by PartnerStack's own key (``part_…``)."""
    shown = _attribute(record, name)
    return shown and [*shown, *_attribute(record, "partnership_key")]


def _customer(record: Any, name: str) -> list[Any]:
    """The site's key of a transaction's customer. The mirror has it if only PartnerStack's key is shown."""
    shown = _attribute(record, name)
    if not shown and (key := getattr(record, "customer_key", "")):
        shown = list(
            Customer.objects.filter(key=key).exclude(customer_key="").values_list("customer_key")[:1]
        )
        return [key for (key,) in shown]
    return shown


def _is_equal(wanted: Any, shown: Any) -> bool:
    return bool(wanted == shown)


def _same_text(wanted: str, shown: str) -> bool:
    """PartnerStack may change the case of addresses and currencies."""
    return wanted.strip().casefold() == shown.strip().casefold()


SHOWN: dict[str, Callable[[Any, str], list[Any]]] = {
    "partner_key": _partner,
    "customer_external_key": _customer,
}
SAME: dict[str, Callable[[Any, Any], bool]] = {"email": same_address, "currency": _same_text}


def _described(name: str, wanted: Any, shown: Any) -> str:
    """Both values. Somebody else's address is masked, or left out as PARTNERSTACK_PRIVACY demands."""
    if name != "email":
        return f": {shown!r}, not {wanted!r}"
    return f": {masked(shown)}" if conf.privacy in ("full", "contact") else ""


def masked(address: str) -> str:
    """``a…@example.com``"""
    user, _, host = address.rpartition("@")
    return f"{user[:1]}…@{host}"
