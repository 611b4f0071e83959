from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from .. import validation
from ..api import UNSET, Unset, body, exactly_one
from ..money import currency_code
from ..records import TransactionRecord
from ..validation import or_null
from .base import Listing, nothing

CUSTOMER_CHECKS = {
    "customer_external_key": validation.key,
    "customer_key": validation.key,
    "customer_email": validation.email,
}
CHECKS = {
    "key": validation.text(validation.LONGEST_KEY, shortest=4),
    "amount": validation.transaction_amount,
    "currency": currency_code,
    "category_key": or_null(validation.key),
    "product_key": or_null(validation.key),
    "subscription_key": or_null(validation.key),
    "metadata": or_null(validation.metadata),
    "test": validation.boolean,
    "created_at": validation.milliseconds,
}


class Transactions(Listing[TransactionRecord]):
    """
    Sales and refunds.

    A single transaction cannot be read by its key: list the time around it and compare the keys.
    See docs.partnerstack.com/reference/get_v2-transactions-2 and post_transactions.
    """

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
        Create a sale, or a refund if ``amount`` is negative.

        ``key``: the site's own key, 4 to 255 characters.
        ``amount``: in minor units of ``currency``, an ISO 4217 code.
        ``customer_external_key``, ``customer_key``, ``customer_email``: give exactly one. The first is the
        site's own key (elsewhere ``customer_key``), the second is PartnerStack's ``cus_…`` key.
        ``metadata``: at most 25 pairs, with names of up to 30 and values of up to 100 characters.
        ``created_at``: an aware datetime, to record an earlier sale.

        Not safe to repeat: look for the key in a list first.
        """
        customer = exactly_one(
            customer_external_key=customer_external_key,
            customer_key=customer_key,
            customer_email=customer_email,
        )
        fields = {**body(CUSTOMER_CHECKS, customer), **body(CHECKS, locals())}
        return self._request("POST", self.path, fields)

    def delete(self, key: str) -> None:
        """
        Delete a transaction. Raises ``NotFound``; safe to repeat.

        Expect the deletion to be final and the key to be unusable for another transaction.
        """
        self._api.call("DELETE", self._address("key", key), nothing)
