"""
PartnerStack's objects as frozen records.

A record has the columns of the mirror model of the same name, some more attributes, and ``raw``, the object
as PartnerStack sent it. A field that a record does not declare is in ``raw`` alone and never causes an error.

To support another list of the API, declare its record: with ``class OfferRecord(Record, resource="offers")``
each client that is created afterwards has an attribute ``offers`` that lists ``/offers``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar, TypeVar

from ..exceptions import RecordError
from . import fields

R = TypeVar("R", bound="Record")

#: The record class of each list of the API, by the list's name. Subclasses of ``Record`` add themselves.
RECORDS: dict[str, type[Record]] = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """
    What every object of PartnerStack has.

    ``created_at`` and ``updated_at`` are in UTC. ``created_at`` can be in the future (a scheduled reward) and
    can change, so it does not identify an object.
    """

    #: The list that has these objects: its path without the slash, and the attribute of the client.
    resource: ClassVar[str] = ""

    key: str = fields.key(required=True)
    # ruff cannot see that these calls return a dataclass field.
    created_at: datetime | None = fields.timestamp()  # noqa: RUF009
    updated_at: datetime | None = fields.timestamp()  # noqa: RUF009
    #: Partner-side objects call it ``is_archived``.
    archived: bool = fields.boolean("archived", "is_archived", default=False)
    raw: dict[str, Any] = field(default_factory=dict, repr=False, hash=False)

    def __init_subclass__(cls, resource: str = "") -> None:
        if resource:
            cls.resource = resource
        # dataclass() with slots builds the class again, with its attributes but without this argument.
        if "resource" in vars(cls):
            RECORDS[cls.resource] = cls

    @classmethod
    def from_api(cls: type[R], item: Any) -> R:
        """
        The record of an object as PartnerStack sent it. Raises ``RecordError`` if it cannot be used.

        The object may be one level down, as in ``{"partnership": {…}}``.
        """
        if not isinstance(item, dict):
            raise RecordError(f"{cls.__name__}: not an object", raw=item)
        if "key" not in item and isinstance(inner := item.get(cls.resource.removesuffix("s")), dict):
            item = inner
        try:
            values = fields.read(cls, item)
        except RecordError as error:
            raise RecordError(f"{cls.__name__}: {error}", field=error.field, raw=item) from None
        if not values["key"]:
            raise RecordError(f"{cls.__name__}: key is missing", field="key", raw=item)
        return cls(raw=item, **values)


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupRecord(Record, resource="groups"):
    """A group of partners."""

    name: str = fields.text()
    slug: str = fields.text()
    default: bool = fields.boolean(default=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class PartnershipRecord(Record, resource="partnerships"):
    """
    A partner of the programme.

    Version 1 of the API sends no ``part_…`` key, so its ``key`` is the partner key.
    """

    key: str = fields.key("key", "partner_key", required=True)
    partner_key: str = fields.key()
    email: str = fields.text()
    first_name: str = fields.text()
    last_name: str = fields.text()
    group_key: str = fields.key("group.key", "group_key")
    approved_status: str = fields.text()
    joined_at: datetime | None = fields.timestamp(column=False)  # noqa: RUF009
    #: The names of the partner's tags.
    tags: tuple[str, ...] = fields.texts()
    #: Counters such as ``CUSTOMER_COUNT`` and ``REVENUE``, money in cents.
    stats: dict[str, Any] = fields.mapping()  # noqa: RUF009


def _customer_key_of_version_1(item: dict[str, Any]) -> Any:
    """
    Version 1 sends the site's own key, under the name ``key``.

    Such an object has none of the names that version 2 adds, and its key does not begin as PartnerStack's do.
    """
    if item.keys() & {"customer_key", "external_key", "partnership_key"}:
        return None
    key = item.get("key")
    return None if isinstance(key, str) and key.startswith("cus_") else key


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerRecord(Record, resource="customers"):
    """A customer. ``key`` is PartnerStack's own (``cus_…``), ``customer_key`` the site's."""

    customer_key: str = fields.key("customer_key", "external_key", _customer_key_of_version_1)
    email: str = fields.text("email", "customer_email")
    name: str = fields.text("name", "customer_name")
    partner_key: str = fields.key()
    partnership_key: str = fields.key()
    provider_key: str = fields.key()
    test: bool | None = fields.boolean()


@dataclass(frozen=True, slots=True, kw_only=True)
class TransactionRecord(Record, resource="transactions"):
    """
    A sale, or a refund if ``amount`` is negative. ``amount`` is in minor units of ``currency``.
    ``amount_usd`` is PartnerStack's conversion, in cents.

    ``customer_key`` is PartnerStack's own key of the customer here, ``customer_external_key`` the site's.
    """

    customer_key: str = fields.key("customer_key", "customer.key")
    customer_external_key: str = fields.key("customer.external_key", "customer_external_key")
    amount: int | None = fields.integer()
    amount_usd: int | None = fields.integer(column=False)
    currency: str = fields.key(longest=3)
    product_key: str = fields.key(column=False)
    category_key: str = fields.key(column=False)
    metadata: dict[str, Any] = fields.mapping()  # noqa: RUF009
    approved: bool | None = fields.boolean()
    test: bool | None = fields.boolean()


@dataclass(frozen=True, slots=True, kw_only=True)
class DealRecord(Record, resource="deals"):
    """A sale that is being negotiated. ``amount`` is in cents."""

    external_key: str = fields.key()
    partner_key: str = fields.key()
    customer_key: str = fields.key("customer_key", "customer.key")
    account_name: str = fields.text()
    amount: int | None = fields.integer()
    stage: str = fields.text()


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadRecord(Record, resource="leads"):
    """A possible customer. ``amount`` is in cents."""

    external_key: str = fields.key()
    partner_key: str = fields.key()
    amount: int | None = fields.integer()
    status: str = fields.text()


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionRecord(Record, resource="actions"):
    """Something that a customer or partner did ``value`` times."""

    type: str = fields.text()
    value: int | None = fields.integer()
    external_key: str = fields.key()
    customer_key: str = fields.key("customer.key", "customer_key")
    partnership_key: str = fields.key("partnership.key", "partnership_key")


def _key_of_source_transaction(item: dict[str, Any]) -> Any:
    """Some rewards name their transaction only as their source."""
    source = item.get("source")
    return source.get("key") if isinstance(source, dict) and source.get("type") == "transaction" else None


@dataclass(frozen=True, slots=True, kw_only=True)
class RewardRecord(Record, resource="rewards"):
    """
    A commission. ``amount`` is in minor units of ``currency``.

    ``customer_key`` is PartnerStack's own key of the customer, ``customer_external_key`` the site's.
    ``source`` says what it was paid for: ``type`` and ``key``, such as a transaction and its key.
    """

    amount: int | None = fields.integer()
    currency: str = fields.key(longest=3)
    reward_status: str = fields.text("reward_status", "status")
    description: str = fields.text(column=False)
    partnership_key: str = fields.key("partnership.key", "partnership_key")
    customer_key: str = fields.key("customer.key", "customer_key")
    customer_external_key: str = fields.key("customer.external_key", "customer_external_key", column=False)
    transaction_key: str = fields.key("transaction.key", "transaction_key", _key_of_source_transaction)
    source: dict[str, Any] = fields.mapping()  # noqa: RUF009

    @property
    def status(self) -> str:
        """The same as ``reward_status``."""
        return self.reward_status

    @property
    def source_key(self) -> str:
        """The key of what it was paid for, or ``""``."""
        key = self.source.get("key")
        return key if isinstance(key, str) else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkRecord(Record):
    """A partner's link: ``url`` is what the partner shares, ``dest`` the page it leads to."""

    url: str = fields.text()
    dest: str = fields.text()


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookRecord(Record, resource="webhooks"):
    """A URL that PartnerStack delivers events to. Sources disagree on the name of the URL's field."""

    target_url: str = fields.text("target_url", "target")
    events: tuple[str, ...] = fields.texts()
