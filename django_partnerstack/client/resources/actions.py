from __future__ import annotations

from .. import payloads
from ..arguments import segment
from ..payloads import INT32, UNSET, Unset, or_null
from ..records import ActionRecord
from .listing import Listing, nothing, one

CHECKS = {
    "type": payloads.key,
    "value": payloads.whole(1, INT32),
    "target_type": payloads.choice("customer", "partnership"),
    "target_key": payloads.key,
    "external_key": or_null(payloads.key),
}


class Actions(Listing[ActionRecord]):
    """Source: docs.partnerstack.com/reference/post_actions."""

    path = "/actions"
    record = ActionRecord

    def create(
        self,
        *,
        type: str,
        value: int,
        target_type: str,
        target_key: str,
        external_key: str | Unset | None = UNSET,
    ) -> ActionRecord:
        """
        Record that a customer or a partner did something, ``value`` times.

        ``type`` is the name of an action of the programme. ``target_type`` is ``customer``, with a key of
        the customer, or ``partnership``, with the *partner* key. An action cannot be looked up by
        ``external_key``: after an ambiguous error there is no way to tell whether it was recorded.
        """
        body = payloads.body(
            CHECKS,
            type=type,
            value=value,
            target_type=target_type,
            target_key=target_key,
            external_key=external_key,
        )
        return self._api.call("POST", self.path, one(self.record), json=body)

    def archive(self, action_key: str) -> None:
        """Archive an action with the rewards that it gave."""
        self._api.call("DELETE", f"{self.path}/{segment('action_key', action_key)}", nothing)
