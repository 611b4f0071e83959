from __future__ import annotations

import pytest
from django.test import Client

from django_partnerstack.models import Group, Transaction

from ..conftest import list_url, page_url


@pytest.mark.parametrize(
    ("amount", "currency", "text"),
    [
        (4900, "USD", "49.00 USD"),
        (-123456789, "EUR", "-1,234,567.89 EUR"),
        (500, "JPY", "500 JPY"),
        (5, "KWD", "0.005 KWD"),
    ],
)
def test_money_is_shown_in_major_units(browser: Client, amount: int, currency: str, text: str) -> None:
    Transaction.objects.create(mode="test", key="t", amount=amount, currency=currency)
    assert f">{text}<" in browser.get(list_url(Transaction)).rendered_content


def test_a_missing_amount_is_shown_as_empty(browser: Client) -> None:
    Transaction.objects.create(mode="test", key="t", amount=None, currency="USD")
    assert '<td class="field-money">-</td>' in browser.get(list_url(Transaction)).rendered_content


def test_json_is_indented_and_escaped(browser: Client) -> None:
    row = Group.objects.create(
        mode="test", key="k", raw={"name": "Süd", "names": ["<script>alert(1)</script>"]}
    )
    html = browser.get(page_url(row)).rendered_content
    assert (
        '<pre class="partnerstack-raw">{\n  &quot;name&quot;: &quot;Süd&quot;,\n  &quot;names&quot;: [\n'
        in html
    )
    assert "<script>alert" not in html


def test_a_time_in_milliseconds_is_followed_by_the_time_for_people(browser: Client) -> None:
    raw = {"created_at": 1700000000000, "amount": 1700000000000, "updated_at": None}
    html = browser.get(page_url(Group.objects.create(mode="test", key="k", raw=raw))).rendered_content
    shown = '<span class="partnerstack-when">Nov. 14, 2023, 22:13:20 UTC</span>'
    assert f"&quot;created_at&quot;: 1700000000000 {shown}," in html
    assert html.count("partnerstack-when") == 1
