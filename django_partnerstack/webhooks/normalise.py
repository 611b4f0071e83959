"""
What a delivery is about, whatever its shape.

Names are dotted, have underscores, or are missing. Objects are in ``data``, or at the top with the name, and
any of it may be wrapped in a list.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ..resources import RESOURCES

#: kind: the name of the resource to read or sync. PartnerStack lists no agreements; applications and
#: agreements change a partnership.
RESOURCE_OF = {name.removesuffix("s"): name for name in RESOURCES} | {
    "application": "partnerships",
    "agreement": "partnerships",
}
#: The events that ``partnerstack_webhooks register`` subscribes to.
#: See docs.partnerstack.com/docs/partnerstack-webhooks.
EVENTS = (
    "agreement.accepted",
    "application.created",
    "application.approved",
    "application.declined",
    "customer.created",
    "customer.updated",
    "customer.deleted",
    "deal.created",
    "deal.updated",
    "lead.created",
    "lead.updated",
    "partnership.created",
    "partnership.updated",
    "partnership.deleted",
    "partnership.tags_updated",
)
#: What PartnerStack's own keys begin with.
PREFIXES = {
    "part_": "partnership",
    "cus_": "customer",
    "deal_": "deal",
    "lead_": "lead",
    "act_": "action",
    "rwrd_": "reward",
    "grup_": "group",
    "appl_": "application",
}
#: How many characters of a name are stored, and how long a key may be.
LONGEST_NAME, LONGEST_KEY = 100, 255

#: A column of the mirror, and its value. The value also identifies the object in a path of the API.
Reference = tuple[str, str]


@dataclass(frozen=True)
class Event:
    """
    ``name``: such as "partnership.updated"; empty without a name. ``received_name``: as in the body.
    ``kind``: a key of ``RESOURCE_OF``, or empty. ``key``: the best key, or empty.
    ``references``: what identifies the object, best first. ``test``: the flag of the body, if it has one.
    ``has_time``: the body says when the object changed, so that another change has another body.
    """

    name: str
    received_name: str
    kind: str
    key: str
    references: tuple[Reference, ...]
    test: bool | None
    has_time: bool


def unwrapped(body: Any) -> Iterator[dict[str, Any]]:
    """The deliveries in a body: one, or one for each object of a list. Raises ValueError for other JSON."""
    for delivery in body if isinstance(body, list) else [body]:
        if not isinstance(delivery, dict):
            raise ValueError("A delivery is a JSON object.")
        data = delivery.get("data")
        if isinstance(data, list) and data and all(isinstance(item, dict) for item in data):
            yield from ({**delivery, "data": item} for item in data)
        else:
            yield delivery


def normalise(delivery: dict[str, Any]) -> Event:
    """What an unwrapped delivery is about. Never raises an error."""
    received = delivery.get("event")
    received = _clean(received, LONGEST_NAME) if isinstance(received, str) else ""
    name = _dotted(received)
    content = _content(delivery)
    kind = name.partition(".")[0] if name else _kind_of(content)
    if kind not in RESOURCE_OF:
        kind = ""
    references = tuple(_references(kind, content))
    return Event(
        name=name,
        received_name=received,
        kind=kind,
        key=_key(_own_key(kind, content)) or next((value for _, value in references), ""),
        references=references,
        test=_flag(delivery.get("test")),
        has_time=bool(content.get("updated_at")),
    )


def _dotted(received: str) -> str:
    """``partnership_group_updated`` as ``partnership.group_updated``. Unknown names stay as they are."""
    name = received.strip().lower()
    if "." in name:
        return name
    for kind in RESOURCE_OF:
        if name.startswith(f"{kind}_"):
            return f"{kind}.{name.removeprefix(f'{kind}_')}"
    return name


def _content(delivery: dict[str, Any]) -> dict[str, Any]:
    """The object: ``data`` of an envelope, possibly one level further down, or the delivery itself."""
    data = delivery.get("data")
    if not isinstance(data, dict):
        return delivery
    if len(data) == 1:
        [(name, inner)] = data.items()
        if name in RESOURCE_OF and isinstance(inner, dict):
            return inner
    return data


def _kind_of(content: dict[str, Any]) -> str:
    """The kind of an object without an event name, by the prefix of its key or by its fields."""
    key = _key(content.get("key"))
    for prefix, kind in PREFIXES.items():
        if key.startswith(prefix):
            return kind
    if "team_member" in content and "team" in content:
        return "agreement"
    if content.keys() >= {"partner_key", "first_name", "email"} and not key:
        return "partnership"
    return "customer" if "customer_email" in content else ""


def _own_key(kind: str, content: dict[str, Any]) -> Any:
    """The key of the object itself. An agreement has none, so that of its team."""
    team = content.get("team")
    return team.get("key") if kind == "agreement" and isinstance(team, dict) else content.get("key")


def _references(kind: str, content: dict[str, Any]) -> Iterator[Reference]:
    """What identifies the object, best first: PartnerStack's own key alone, or else all that may."""
    found = [(column, key) for column, value in _candidates(kind, content) if (key := _key(value))]
    own = [reference for reference in found if reference[0] == "key"]
    yield from own[:1] or dict.fromkeys(found)


def _candidates(kind: str, content: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    if kind == "partnership":
        yield "key", content.get("key") or content.get("partnership_key")
        yield from (("partner_key", content.get("partner_key")), ("email", content.get("email")))
    elif kind == "application":
        yield "key", content.get("partnership_key")
        yield "partner_key", content.get("partner_key")
    elif kind == "agreement":
        for member in (content.get("team_member"), content.get("partnership")):
            if isinstance(member, dict):
                yield "email", member.get("email")
    elif kind == "customer":
        # Version 1 sends the site's own key under the name "key".
        is_own = _key(content.get("key")).startswith("cus_")
        yield "key" if is_own else "customer_key", content.get("key")
        yield from (("customer_key", content.get(name)) for name in ("customer_key", "external_key"))
        yield from (("email", content.get(name)) for name in ("email", "customer_email"))
    elif kind:
        yield "key", content.get("key")


def _key(value: Any) -> str:
    """A key that can be stored and sent, or an empty string."""
    if not isinstance(value, str) or not 0 < len(value) <= LONGEST_KEY:
        return ""
    return value if value == _clean(value, LONGEST_KEY) and value not in (".", "..") else ""


def _clean(text: str, longest: int) -> str:
    """The beginning of a text, without characters that a database refuses."""
    return "".join(character for character in text[:longest] if character.isprintable())


def _flag(value: Any) -> bool | None:
    """A flag, also as the string that some bodies contain."""
    if isinstance(value, str):
        return {"true": True, "false": False}.get(value.strip().lower())
    return value if isinstance(value, bool) else None
