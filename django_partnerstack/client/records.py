"""
What PartnerStack sends, as frozen records.

A record has the columns of the mirror model of the same name, and ``raw``, the object exactly as it came.
Fields that are not known here are in ``raw`` alone and are never an error.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar, TypeVar

from ..exceptions import RecordError
from .values import archived, flag, integer, key, moment, nested, text

R = TypeVar("R", bound="Record")


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """
    What every object has.

    ``created_at`` can be in the future (a scheduled reward) and can change; it does not identify an object.
    """

    #: The field that names the object where ``key`` is missing; "" if there is none.
    other_key: ClassVar[str] = ""

    key: str
    created_at: datetime | None = None
    updated_at: datetime | None = None
    archived: bool = False
    raw: dict[str, Any] = field(default_factory=dict, repr=False, hash=False)

    @classmethod
    def from_api(cls: type[R], item: Any) -> R:
        """The record of one object as PartnerStack sent it. Raises ``RecordError`` and nothing else."""
        if not isinstance(item, dict):
            raise RecordError(f"{cls.__name__}: not an object", raw=item)
        try:
            return cls(
                key=cls._own_key(item),
                created_at=moment(item, "created_at"),
                updated_at=moment(item, "updated_at"),
                archived=archived(item),
                raw=item,
                **cls._columns(item),
            )
        except RecordError as error:
            raise RecordError(f"{cls.__name__}: {error}", field=error.field, raw=item) from None

    @classmethod
    def _own_key(cls, item: dict[str, Any]) -> str:
        if found := key(item, "key") or (cls.other_key and key(item, cls.other_key)):
            return found
        raise RecordError("key is missing", field="key")

    @classmethod
    def _columns(cls, item: dict[str, Any]) -> dict[str, Any]:
        raise NotImplementedError


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupRecord(Record):
    name: str = ""
    slug: str = ""
    default: bool = False

    @classmethod
    def _columns(cls, item: dict[str, Any]) -> dict[str, Any]:
        return {
            "name": text(item, "name"),
            "slug": text(item, "slug"),
            "default": bool(flag(item, "default")),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class PartnershipRecord(Record):
    """
    A partner in the programme.

    Version 1 sends no ``part_…`` key; there ``key`` is the partner key, which names the partner as well.
    """

    other_key: ClassVar[str] = "partner_key"

    partner_key: str = ""
    email: str = ""
    first_name: str = ""
    last_name: str = ""
    group_key: str = ""
    approved_status: str = ""

    @classmethod
    def _columns(cls, item: dict[str, Any]) -> dict[str, Any]:
        return {
            "partner_key": key(item, "partner_key"),
            "email": text(item, "email"),
            "first_name": text(item, "first_name"),
            "last_name": text(item, "last_name"),
            "group_key": key(nested(item, "group"), "key") or key(item, "group_key"),
            "approved_status": text(item, "approved_status"),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerRecord(Record):
    """``key`` is PartnerStack's own (``cus_…``), ``customer_key`` the one that the site gave."""

    customer_key: str = ""
    email: str = ""
    name: str = ""
    partner_key: str = ""
    partnership_key: str = ""
    provider_key: str = ""
    test: bool | None = None

    @classmethod
    def _columns(cls, item: dict[str, Any]) -> dict[str, Any]:
        return {
            "customer_key": cls._site_key(item),
            "email": text(item, "email"),
            "name": text(item, "name"),
            "partner_key": key(item, "partner_key"),
            "partnership_key": key(item, "partnership_key"),
            "provider_key": key(item, "provider_key"),
            "test": flag(item, "test"),
        }

    @classmethod
    def _site_key(cls, item: dict[str, Any]) -> str:
        if found := key(item, "customer_key") or key(item, "external_key"):
            return found
        # Version 1 has one key, the site's, and calls it "key". It knows none of the names that version 2
        # has beside it, and does not begin as PartnerStack's own keys do.
        if item.keys() & {"customer_key", "external_key", "partnership_key"}:
            return ""
        own = key(item, "key")
        return "" if own.startswith("cus_") else own


@dataclass(frozen=True, slots=True, kw_only=True)
class TransactionRecord(Record):
    """
    A sale or refund. ``amount`` is in minor units of ``currency``.

    ``customer_key`` is PartnerStack's own key of the customer here, ``customer_external_key`` the site's.
    """

    customer_key: str = ""
    customer_external_key: str = ""
    amount: int | None = None
    currency: str = ""
    approved: bool | None = None
    test: bool | None = None

    @classmethod
    def _columns(cls, item: dict[str, Any]) -> dict[str, Any]:
        customer = nested(item, "customer")
        return {
            "customer_key": key(item, "customer_key") or key(customer, "key"),
            "customer_external_key": key(customer, "external_key") or key(item, "customer_external_key"),
            "amount": integer(item, "amount"),
            "currency": key(item, "currency", 3),
            "approved": flag(item, "approved"),
            "test": flag(item, "test"),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class DealRecord(Record):
    """A sale in the making. ``amount`` is in cents."""

    external_key: str = ""
    partner_key: str = ""
    customer_key: str = ""
    account_name: str = ""
    amount: int | None = None
    stage: str = ""

    @classmethod
    def _columns(cls, item: dict[str, Any]) -> dict[str, Any]:
        return {
            "external_key": key(item, "external_key"),
            "partner_key": key(item, "partner_key"),
            "customer_key": key(item, "customer_key") or key(nested(item, "customer"), "key"),
            "account_name": text(item, "account_name"),
            "amount": integer(item, "amount"),
            "stage": text(item, "stage"),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadRecord(Record):
    """Someone who may become a customer. ``amount`` is in cents."""

    external_key: str = ""
    partner_key: str = ""
    amount: int | None = None
    status: str = ""

    @classmethod
    def _columns(cls, item: dict[str, Any]) -> dict[str, Any]:
        return {
            "external_key": key(item, "external_key"),
            "partner_key": key(item, "partner_key"),
            "amount": integer(item, "amount"),
            "status": text(item, "status"),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionRecord(Record):
    """Something a customer or partner did, ``value`` times."""

    type: str = ""
    value: int | None = None
    external_key: str = ""
    customer_key: str = ""
    partnership_key: str = ""

    @classmethod
    def _columns(cls, item: dict[str, Any]) -> dict[str, Any]:
        return {
            "type": text(item, "type"),
            "value": integer(item, "value"),
            "external_key": key(item, "external_key"),
            "customer_key": key(nested(item, "customer"), "key") or key(item, "customer_key"),
            "partnership_key": key(nested(item, "partnership"), "key") or key(item, "partnership_key"),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class RewardRecord(Record):
    """A commission. ``amount`` is in minor units of ``currency``."""

    amount: int | None = None
    currency: str = ""
    reward_status: str = ""
    partnership_key: str = ""
    customer_key: str = ""
    transaction_key: str = ""

    @classmethod
    def _columns(cls, item: dict[str, Any]) -> dict[str, Any]:
        return {
            "amount": integer(item, "amount"),
            "currency": key(item, "currency", 3),
            "reward_status": text(item, "reward_status"),
            "partnership_key": key(nested(item, "partnership"), "key") or key(item, "partnership_key"),
            "customer_key": key(nested(item, "customer"), "key") or key(item, "customer_key"),
            "transaction_key": key(nested(item, "transaction"), "key") or key(item, "transaction_key"),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkRecord(Record):
    """A partner's link: ``url`` is what the partner shares, ``dest`` where it leads."""

    url: str = ""
    dest: str = ""

    @classmethod
    def _columns(cls, item: dict[str, Any]) -> dict[str, Any]:
        return {"url": text(item, "url"), "dest": text(item, "dest")}


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookRecord(Record):
    """Where PartnerStack delivers which events."""

    target_url: str = ""
    events: tuple[str, ...] = ()

    @classmethod
    def _columns(cls, item: dict[str, Any]) -> dict[str, Any]:
        events = item.get("events")
        return {
            # Sources disagree on the name.
            "target_url": text(item, "target_url") or text(item, "target"),
            "events": tuple(event for event in events if type(event) is str) if type(events) is list else (),
        }
