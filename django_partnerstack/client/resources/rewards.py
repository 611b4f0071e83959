from __future__ import annotations

from .. import validation
from ..api import UNSET, Unset, body
from ..money import currency_code
from ..records import RewardRecord
from .base import Listing

CHECKS = {
    "amount": validation.reward_amount,
    "currency": currency_code,
    "description": validation.text(10_000),
}
TARGET_CHECKS = {"type": validation.choice("customer", "transaction", "manual"), "key": validation.key}


class Rewards(Listing[RewardRecord]):
    """
    Commissions. They are approved and declined in PartnerStack's dashboard.

    Scheduled rewards have a ``created_at`` in the future, and a list may lack them without
    ``status="scheduled"``.
    See docs.partnerstack.com/reference/get_v2-rewards-2.
    """

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
        Create a reward for a ``"customer"`` or a ``"transaction"``, or a ``"manual"`` reward for a partner.

        ``amount`` is in minor units of ``currency``, which is USD if it is omitted.

        Not safe to repeat. A reward has no key of the site's own, so after an error that is in doubt nothing
        shows whether it was created.
        """
        fields = body(CHECKS, locals())
        target = body(TARGET_CHECKS, {"type": target_type, "key": target_key})
        return self._request("POST", self.path, {**fields, "target": target})
