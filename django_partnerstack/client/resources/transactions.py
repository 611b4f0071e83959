from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from ...exceptions import InvalidArgument
from .. import payloads
from ..arguments import segment
from ..payloads import UNSET, Unset, or_null
from ..records import TransactionRecord
from .listing import Listing, nothing, one

#: In minor units, up and down.
LARGEST_AMOUNT = 50_000_000_000


def metadata(name: str, value: Any) -> dict[str, Any]:
    """At most 25 pairs, their names up to 30 and their values up to 100 characters long."""
    pairs = payloads.mapping(name, value)
    if len(pairs) > 25:
        raise InvalidArgument(f"{name} must have at most 25 pairs; it has {len(pairs)}.")
    for pair, content in pairs.items():
        if len(pair) > 30:
            raise InvalidArgument(f"{name}: the name {pair[:30]!r}… has more than 30 characters.")
        if isinstance(content, (Mapping, list, tuple)):
            raise InvalidArgument(f"{name}: the value of {pair!r} must be a text or a number.")
        if len(str(content)) > 100:
            raise InvalidArgument(f"{name}: the value of {pair!r} has more than 100 characters.")
    return pairs


CHECKS = {
    "key": payloads.text(255, shortest=4),
    "amount": payloads.whole(-LARGEST_AMOUNT, LARGEST_AMOUNT),
    "currency": payloads.currency,
    "customer_key": payloads.key,
    "customer_external_key": payloads.key,
    "customer_email": payloads.email,
    "category_key": or_null(payloads.key),
    "product_key": or_null(payloads.key),
    "subscription_key": or_null(payloads.key),
    "metadata": or_null(metadata),
    "test": payloads.boolean,
    "created_at": payloads.moment,
}


class Transactions(Listing[TransactionRecord]):
    """
    Source: docs.partnerstack.com/reference/post_transactions.

    One transaction cannot be read by its key: list the time around it and compare keys.
    """

    path = "/transactions"
    record = TransactionRecord

    def create(
        self,
        *,
        key: str,
        amount: int,
        currency: str,
        customer_key: str | None = None,
        customer_external_key: str | None = None,
        customer_email: str | None = None,
        category_key: str | Unset | None = UNSET,
        product_key: str | Unset | None = UNSET,
        subscription_key: str | Unset | None = UNSET,
        metadata: Mapping[str, Any] | Unset | None = UNSET,
        test: bool | Unset = UNSET,
        created_at: datetime | Unset = UNSET,
    ) -> TransactionRecord:
        """
        A sale, or a refund if ``amount`` is below 0. In minor units of ``currency``.

        ``key`` is the site's own; without one, a lost answer could not be cleared up. The customer is named
        in exactly one way: ``customer_external_key`` is the site's key (elsewhere ``customer_key``), and
        ``customer_key`` is PartnerStack's ``cus_…`` key. ``created_at`` dates the sale back.
        """
        customers = {
            "customer_external_key": customer_external_key,
            "customer_key": customer_key,
            "customer_email": customer_email,
        }
        named = payloads.exactly_one(**customers)
        body = payloads.body(
            CHECKS,
            key=key,
            amount=amount,
            currency=currency,
            **{named: customers[named]},
            category_key=category_key,
            product_key=product_key,
            subscription_key=subscription_key,
            metadata=metadata,
            test=test,
            created_at=created_at,
        )
        return self._api.call("POST", self.path, one(self.record), json=body)

    def delete(self, key: str) -> None:
        """Delete a transaction. Take it as final, and its key as used up."""
        self._api.call("DELETE", f"{self.path}/{segment('key', key)}", nothing)
