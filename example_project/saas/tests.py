"""
What this site promises its partners, against a PartnerStack within the test: no network, no keys.

``python example_project/manage.py test example_project.saas`` runs them.
"""

from __future__ import annotations

from decimal import Decimal

from django.test import TestCase, TransactionTestCase

from django_partnerstack.testing import PartnerStackMixin

from . import billing
from .models import Account

SIGN_UP = {"name": "Ada Ltd", "email": "ada@example.com", "password": "correct horse 9"}


class ReferralTests(PartnerStackMixin, TestCase):
    def test_a_referred_sign_up_is_credited(self) -> None:
        self.partnerstack.click("grace", self.client)
        self.client.post("/sign-up/", SIGN_UP)
        self.partnerstack.deliver()
        self.assertEqual(self.partnerstack.customers, [{"email": "ada@example.com", "partner_key": "grace"}])

    def test_the_last_partner_before_the_sign_up_is_credited(self) -> None:
        self.partnerstack.click("grace", self.client)
        self.partnerstack.click("alan", self.client, "/pricing/")
        self.client.post("/sign-up/", SIGN_UP)
        self.partnerstack.deliver()
        self.assertEqual(self.partnerstack.customers, [{"partner_key": "alan"}])

    def test_a_sign_up_without_a_partner_is_not_reported(self) -> None:
        self.client.post("/sign-up/", SIGN_UP)
        self.partnerstack.deliver()
        self.assertEqual(self.partnerstack.requests, [])


class PaymentTests(PartnerStackMixin, TestCase):
    def setUp(self) -> None:
        super().setUp()
        self.partnerstack.click("grace", self.client)
        self.client.post("/sign-up/", SIGN_UP)

    def test_a_payment_is_reported(self) -> None:
        self.client.post("/billing/charge/", {"amount": "49.00"})
        self.partnerstack.deliver()
        self.assertEqual(self.partnerstack.transactions, [{"amount": 4900, "currency": "USD"}])

    def test_a_payment_is_reported_once_although_partnerstack_fails(self) -> None:
        self.partnerstack.fail("transactions", "lost")
        self.client.post("/billing/charge/", {"amount": "49.00"})
        self.partnerstack.deliver(hours=1)
        self.assertEqual(self.partnerstack.effects["transactions.create"], 1)

    def test_a_refund_is_subtracted(self) -> None:
        payment = billing.charge(Account.objects.get(), Decimal("49.00"))
        self.client.post(f"/billing/payments/{payment.pk}/refund/", {"amount": "19.00"})
        self.partnerstack.deliver(hours=1)
        self.assertEqual(sum(each["amount"] for each in self.partnerstack.transactions), 3000)


class CommittedTests(PartnerStackMixin, TransactionTestCase):
    def test_a_partner_named_on_the_form_is_credited(self) -> None:
        self.partnerstack.partner("grace")
        self.partnerstack.sync("partnerships")
        self.client.post("/sign-up/", {**SIGN_UP, "partner_key": "grace"})
        self.partnerstack.deliver()
        self.assertEqual(self.partnerstack.customers, [{"partner_key": "grace"}])

    def test_a_partner_who_is_archived_cannot_be_named(self) -> None:
        self.partnerstack.webhook("partnership.updated", "grace", archived=True)
        page = self.client.post("/sign-up/", {**SIGN_UP, "partner_key": "grace"})
        self.assertContains(page, "There is no such partner")
