"""A site that also has a tracking token, so that it can convert clicks."""

from __future__ import annotations

from typing import Any

import requests

from django_partnerstack.client import Client
from django_partnerstack.client.retry import RetryPolicy
from django_partnerstack.outbox.delivery.loop import DeliveryLoop
from django_partnerstack.sandbox import TEST_KEYS, TEST_TRACKING_TOKEN
from tests.outbox.site import API, Site

CONVERSIONS = "https://partnerlinks.io"


class ConvertingSite(Site):
    def new_worker(
        self,
        keys: tuple[str, str] = TEST_KEYS,
        tracking_token: str = TEST_TRACKING_TOKEN,
        **options: Any,
    ) -> DeliveryLoop:
        session = requests.Session()
        session.mount(API, self.adapter)
        session.mount(CONVERSIONS, self.adapter)
        client = Client(
            *keys,
            api_url=API,
            tracking_token=tracking_token,
            session=session,
            retry_policy=RetryPolicy(attempts=1),
        )
        defaults = {"mode": "test", "clock": self.clock, "requests_per_minute": 6_000_000}
        return DeliveryLoop(client, **{**defaults, **options})
