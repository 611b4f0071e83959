from __future__ import annotations

from .. import payloads
from ..payloads import UNSET, Unset
from ..records import RewardRecord
from .listing import Listing, one

#: In minor units.
LARGEST_REWARD = 100_000_000
CHECKS = {
    "amount": payloads.whole(-LARGEST_REWARD, LARGEST_REWARD),
    "currency": payloads.currency,
    "description": payloads.text(10_000),
}
TARGET_CHECKS = {"type": payloads.choice("customer", "transaction", "manual"), "key": payloads.key}


class Rewards(Listing[RewardRecord]):
    """
    Commissions. They are approved and declined in the dashboard.

    Scheduled ones may be missing from a list without ``status="scheduled"``, and are dated in the future.
    Source: docs.partnerstack.com/reference/get_v2-rewards-2.
    """

    path = "/rewards"
    record = RewardRecord

    def create(
        self,
        *,
        amount: int,
        description: str,
        target_type: str,
        target_key: str,
        currency: str | Unset = UNSET,
    ) -> RewardRecord:
        """
        A reward for a customer, a transaction or by hand (``manual``); in USD if no currency is given.

        A reward has no key of the site's: after an ambiguous error there is no way to tell whether it was
        made.
        """
        body = payloads.body(CHECKS, amount=amount, description=description, currency=currency)
        target = payloads.body(TARGET_CHECKS, type=target_type, key=target_key)
        return self._api.call("POST", self.path, one(self.record), json={**body, "target": target})
