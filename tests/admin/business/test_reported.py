"""The outbox messages on the pages of customers and transactions."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client

from django_partnerstack.models import Customer, Transaction

from ..conftest import page_url, queue


class TestMessagesOnAPage:
    def test_of_a_customer_are_all_of_its_messages(self, browser: Client) -> None:
        message, other = queue(), queue(lane="customer:other")
        html = browser.get(
            page_url(Customer.objects.create(mode="test", key="cus_1", customer_key="account-1"))
        ).rendered_content
        assert page_url(message) in html
        assert page_url(other) not in html

    @pytest.mark.parametrize("key", ["payment-1", "payment-1-r2"])
    def test_of_a_transaction_are_those_of_the_payment(self, browser: Client, key: str) -> None:
        message = queue(operation="transactions.create", subject="payment-1")
        foreign = queue(operation="customers.update", subject="payment-1")
        html = browser.get(page_url(Transaction.objects.create(mode="test", key=key))).rendered_content
        assert page_url(message) in html
        assert page_url(foreign) not in html

    def test_need_permission_to_see_messages(self, staff: Callable[..., Client]) -> None:
        message = queue()
        row = Customer.objects.create(mode="test", key="cus_1", customer_key="account-1")
        assert page_url(message) not in staff("view_customer").get(page_url(row)).rendered_content
