"""Objects at PartnerStack as dicts that compare by the keys that a test names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

#: What an object is shown with, in the order of its type.
SHOWN = (
    "key",
    "customer_key",
    "email",
    "name",
    "account_name",
    "partner_key",
    "amount",
    "currency",
    "type",
    "value",
    "stage",
    "status",
)


class RemoteObject(dict[str, Any]):
    """
    An object as PartnerStack's API shows it.

    It equals a dict that names some of its fields with the same values, also within nested objects:
    ``customer == {"email": "ada@example.com", "partner_key": "ada"}``. It equals no empty dict.
    """

    __hash__ = None

    def __eq__(self, other: object) -> bool:
        if isinstance(other, RemoteObject):
            return dict(self) == dict(other)
        return isinstance(other, Mapping) and bool(other) and _agrees(self, other)

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __repr__(self) -> str:
        shown = {name: self[name] for name in SHOWN if self.get(name) is not None}
        return repr(shown or dict(self))


def _agrees(item: Mapping[str, Any], named: Mapping[str, Any]) -> bool:
    return all(name in item and _is_same(item[name], value) for name, value in named.items())


def _is_same(value: Any, expected: Any) -> bool:
    if isinstance(value, Mapping) and isinstance(expected, Mapping) and expected:
        return _agrees(value, expected)
    return bool(value == expected)
