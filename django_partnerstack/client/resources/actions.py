from __future__ import annotations

from .. import validation
from ..api import UNSET, Unset, body
from ..records import ActionRecord
from .base import Listing, nothing

CHECKS = {
    "type": validation.key,
    "value": validation.integer(1, validation.INT32),
    "target_type": validation.choice("customer", "partnership"),
    "target_key": validation.key,
    "external_key": validation.or_null(validation.key),
}


class Actions(Listing[ActionRecord]):
    """What customers and partners did. See docs.partnerstack.com/reference/post_actions."""

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
        Record that a customer or partner did something ``value`` times.

        ``type``: the name of an action of the programme.
        ``target_type``: ``"customer"``, with either key of the customer as ``target_key``, or
        ``"partnership"``, with the *partner* key.

        Not safe to repeat. Actions cannot be looked up by ``external_key``, so after an error that is in
        doubt nothing shows whether this action was recorded.
        """
        fields = body(CHECKS, locals())
        return self._request("POST", self.path, fields)

    def archive(self, action_key: str) -> None:
        """Archive an action and the rewards that it gave. Raises ``NotFound``; safe to repeat."""
        self._api.call("DELETE", self._address("action_key", action_key), nothing)
