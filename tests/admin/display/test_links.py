from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from django_partnerstack.models import (
    Action,
    Customer,
    Deal,
    Group,
    Lead,
    Mirror,
    Partnership,
    Reward,
    Transaction,
)

from ..conftest import MIRRORS, list_url, page_url, shown

each_mirror = pytest.mark.parametrize("model", MIRRORS, ids=lambda model: model.__name__)


def link_to(row: Mirror, text: str) -> str:
    return f'<a href="{page_url(row)}">{text}</a>'


@pytest.mark.parametrize(
    ("model", "column", "target", "label"),
    [
        (Partnership, "group_key", Group(key="k", name="Resellers"), "Resellers"),
        (Customer, "partnership_key", Partnership(key="k", partner_key="ada"), "ada"),
        (Transaction, "customer_key", Customer(key="k", customer_key="shop-account-1"), "shop-account-1"),
        (Reward, "partnership_key", Partnership(key="k", partner_key="ada"), "ada"),
        (Reward, "customer_key", Customer(key="k"), "k"),
        (Reward, "transaction_key", Transaction(key="k"), "k"),
        (Action, "customer_key", Customer(key="k", customer_key="shop-account-1"), "shop-account-1"),
        (Action, "partnership_key", Partnership(key="k", partner_key="ada"), "ada"),
        (Deal, "partner_key", Partnership(key="x", partner_key="k"), "k"),
        (Lead, "partner_key", Partnership(key="x", partner_key="k"), "k"),
    ],
    ids=lambda value: value if isinstance(value, str) else getattr(value, "__name__", ""),
)
class TestLinks:
    def test_lead_to_the_row_with_the_key(
        self, browser: Client, model: type[Mirror], column: str, target: Mirror, label: str
    ) -> None:
        target = type(target).objects.create(**{**values(target), "mode": "test"})
        row = model.objects.create(mode="test", key="r", **{column: "k"})
        assert link_to(target, label) in browser.get(page_url(row)).rendered_content

    def test_stay_within_the_mode(
        self, browser: Client, model: type[Mirror], column: str, target: Mirror, label: str
    ) -> None:
        target = type(target).objects.create(**{**values(target), "mode": "production"})
        row = model.objects.create(mode="test", key="r", **{column: "k"})
        html = browser.get(page_url(row)).rendered_content
        assert page_url(target) not in html
        assert '<div class="readonly">k</div>' in html


def values(row: Mirror) -> dict[str, Any]:
    return {name: value for name, value in vars(row).items() if not name.startswith("_") and name != "id"}


def test_a_list_links_too(browser: Client) -> None:
    partnership = Partnership.objects.create(mode="test", key="part_1", partner_key="ada")
    Customer.objects.create(mode="test", key="cus_1", partnership_key="part_1")
    assert link_to(partnership, "ada") in browser.get(list_url(Customer)).rendered_content


def test_deals_without_partner_do_not_link_to_partnerships_without_partner_key(browser: Client) -> None:
    nameless = Partnership.objects.create(mode="test", key="part_1", partner_key="")
    deal = Deal.objects.create(mode="test", key="deal_1", partner_key="")
    assert page_url(nameless) not in browser.get(page_url(deal)).rendered_content


def test_labels_from_partnerstack_are_escaped(browser: Client) -> None:
    Partnership.objects.create(mode="test", key="part_1", partner_key="<b>ada")
    Customer.objects.create(mode="test", key="cus_1", partnership_key="part_1")
    html = browser.get(list_url(Customer)).rendered_content
    assert "&lt;b&gt;ada" in html
    assert "<b>ada" not in html


def test_a_page_counts_and_links_related_objects(browser: Client) -> None:
    customer = Customer.objects.create(mode="test", key="cus/1 &", customer_key="shop-account-1")
    for key, mode in (("a", "test"), ("b", "test"), ("c", "production")):
        Transaction.objects.create(mode=mode, key=key, customer_key="cus/1 &")
    html = browser.get(page_url(customer)).rendered_content
    assert (
        f'<a href="{list_url(Transaction)}?mode=test&amp;customer_key=cus%2F1+%26">Transactions: 2</a>'
        in html
    )
    assert shown(browser, list_url(Transaction), mode="test", customer_key="cus/1 &") == ["b", "a"]
    assert "<div>Rewards: 0</div>" in html


def test_a_partnership_without_partner_key_has_no_deals(browser: Client) -> None:
    Deal.objects.create(mode="test", key="deal_1", partner_key="")
    partnership = Partnership.objects.create(mode="test", key="part_1", partner_key="")
    assert "<div>Deals: 0</div>" in browser.get(page_url(partnership)).rendered_content
