from __future__ import annotations

from collections.abc import Sequence

from .. import payloads
from ..arguments import segment
from ..payloads import UNSET, Unset
from ..records import WebhookRecord
from .listing import Listing, nothing, one

CHECKS = {"target_url": payloads.text(2000, shortest=1), "events": payloads.texts}


class Webhooks(Listing[WebhookRecord]):
    """
    Where PartnerStack delivers events.

    Sources disagree on the name of the URL's field: it is sent as ``target_url`` unless ``url_field`` says
    otherwise (``target``); on reading both are understood.
    """

    path = "/webhooks"
    record = WebhookRecord

    def get(self, webhook_key: str) -> WebhookRecord:
        return self._api.call("GET", self._address(webhook_key), one(self.record))

    def create(
        self, *, target_url: str, events: Sequence[str], url_field: str = "target_url"
    ) -> WebhookRecord:
        """Deliver these events (as ``customer.created``) to a URL."""
        body = payloads.body(CHECKS, target_url=target_url, events=events)
        return self._api.call("POST", self.path, one(self.record), json=_named(body, url_field))

    def update(
        self,
        webhook_key: str,
        *,
        target_url: str | Unset = UNSET,
        events: Sequence[str] | Unset = UNSET,
        url_field: str = "target_url",
    ) -> WebhookRecord:
        body = payloads.changes(CHECKS, target_url=target_url, events=events)
        return self._api.call(
            "PATCH", self._address(webhook_key), one(self.record), json=_named(body, url_field)
        )

    def archive(self, webhook_key: str) -> None:
        """End the deliveries to a webhook."""
        self._api.call("DELETE", self._address(webhook_key), nothing)

    def _address(self, webhook_key: str) -> str:
        return f"{self.path}/{segment('webhook_key', webhook_key)}"


def _named(body: dict[str, object], url_field: str) -> dict[str, object]:
    return {url_field if name == "target_url" else name: value for name, value in body.items()}
