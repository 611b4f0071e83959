"""The test kit of a site."""

from __future__ import annotations

from django.test import Client, TestCase

from django_partnerstack.models import Partnership, WebhookEvent
from django_partnerstack.testing import PartnerStack, PartnerStackMixin, factories


def test_a_sign_up(client: Client, partnerstack: PartnerStack) -> None:
    partnerstack.click("ada", client, "/pricing/", sid1="newsletter")
    partnerstack.fail("transactions", 503, times=2)
    sent: int = partnerstack.deliver(minutes=5)["delivered"]
    event: WebhookEvent = partnerstack.webhook("partnership.updated", "ada", first_name="Ada")
    row: Partnership = factories.partnership(partner_key="ada")
    assert partnerstack.customers == [{"email": "ada@example.com"}], (sent, event, row)
    partnerstack.click("ada", "client")  # type: ignore[arg-type]
    partnerstack.deliver(minutes="5")  # type: ignore[arg-type]
    print(partnerstack.customer)  # type: ignore[attr-defined]


class SignUpTests(PartnerStackMixin, TestCase):
    def test_a_sign_up(self) -> None:
        kit: PartnerStack = self.partnerstack
        assert kit.requests == []
