"""The pages of customers and transactions, with their outbox messages."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client

from django_partnerstack.models import Customer, Transaction

from ..conftest import ASSIGN, attribution, html_of, list_url, page_url, queue, shown

pytestmark = pytest.mark.django_db


class TestMessagesOnAPage:
    def test_of_a_customer_are_all_of_its_messages(self, browser: Client) -> None:
        message, other = queue(), queue(lane="customer:other")
        html = browser.get(
            page_url(Customer.objects.create(mode="test", key="cus_1", customer_key="shop-account-1"))
        ).rendered_content
        assert page_url(message) in html
        assert page_url(other) not in html

    @pytest.mark.parametrize("key", ["payment-1", "payment-1~r2"])
    def test_of_a_transaction_are_those_of_the_payment(self, browser: Client, key: str) -> None:
        message = queue(operation="transactions.create", subject="payment-1")
        foreign = queue(operation="customers.update", subject="payment-1")
        html = browser.get(page_url(Transaction.objects.create(mode="test", key=key))).rendered_content
        assert page_url(message) in html
        assert page_url(foreign) not in html

    def test_need_permission_to_see_messages(self, staff: Callable[..., Client]) -> None:
        message = queue()
        row = Customer.objects.create(mode="test", key="cus_1", customer_key="shop-account-1")
        assert page_url(message) not in staff("view_customer").get(page_url(row)).rendered_content


@pytest.fixture
def operator(staff: Callable[..., Client]) -> Client:
    """An operator who may see attributions and customers, and assign partners."""
    return staff("view_attribution", "assign_attribution", "view_customer")


@pytest.mark.parametrize("words", ["cus_1", "shop-account-1", "ADA@", "Lovelace", "pi_1", "grace"])
def test_customers_are_found_by_keys_e_mail_and_name(browser: Client, words: str) -> None:
    known = {
        "email": "ada@example.com",
        "name": "Ada Lovelace",
        "provider_key": "pi_1",
        "partner_key": "grace",
    }
    Customer.objects.create(mode="test", key="cus_1", customer_key="shop-account-1", **known)
    Customer.objects.create(mode="test", key="x")
    assert shown(browser, list_url(Customer), q=words) == ["shop-account-1"]


class TestCustomerPage:
    def test_explains_and_links_to_the_attribution(self, browser: Client) -> None:
        row = attribution(partner_key="gstest")
        customer = Customer.objects.create(mode="test", key="cus_1", customer_key="shop-account-1")
        html = html_of(browser, customer)
        assert page_url(row) in html
        assert "PartnerStack has the customer as cus_1" in html

    def test_needs_permission_to_see_attributions(self, staff: Callable[..., Client]) -> None:
        attribution(partner_key="gstest")
        customer = Customer.objects.create(mode="test", key="cus_1", customer_key="shop-account-1")
        assert "partnerstack-why" not in html_of(staff("view_customer"), customer)

    def test_offers_no_partner_because_partnerstack_has_the_customer(self, operator: Client) -> None:
        customer = Customer.objects.create(mode="test", key="cus_1", customer_key="shop-account-1")
        assert ASSIGN not in html_of(operator, customer)
