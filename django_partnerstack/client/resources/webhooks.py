from __future__ import annotations

from collections.abc import Sequence

from .. import validation
from ..api import UNSET, Unset, body, changes
from ..records import WebhookRecord
from .base import Listing, nothing

CHECKS = {"target_url": validation.text(2000, shortest=1), "events": validation.strings}


class Webhooks(Listing[WebhookRecord]):
    """
    The URLs that PartnerStack delivers events to.

    Sources disagree on the name of the URL's field. ``url_field`` is the name that is sent: ``target_url`` or
    ``target``. Both are understood in a response.
    """

    def get(self, webhook_key: str) -> WebhookRecord:
        """One webhook. Raises ``NotFound``; safe to repeat."""
        return self._request("GET", self._address("webhook_key", webhook_key))

    def create(
        self, *, target_url: str, events: Sequence[str], url_field: str = "target_url"
    ) -> WebhookRecord:
        """
        Deliver events, such as ``customer.created``, to a URL.

        Not safe to repeat: look for the URL in a list first.
        """
        fields = body(CHECKS, locals())
        return self._request("POST", self.path, _renamed(fields, url_field))

    def update(
        self,
        webhook_key: str,
        *,
        target_url: str | Unset = UNSET,
        events: Sequence[str] | Unset = UNSET,
        url_field: str = "target_url",
    ) -> WebhookRecord:
        """Change the URL or the events of a webhook. Raises ``NotFound``; safe to repeat."""
        fields = changes(CHECKS, locals())
        return self._request("PATCH", self._address("webhook_key", webhook_key), _renamed(fields, url_field))

    def archive(self, webhook_key: str) -> None:
        """Stop the deliveries to a webhook. Raises ``NotFound``; safe to repeat."""
        self._api.call("DELETE", self._address("webhook_key", webhook_key), nothing)


def _renamed(fields: dict[str, object], url_field: str) -> dict[str, object]:
    return {url_field if name == "target_url" else name: value for name, value in fields.items()}
