"""The page of one mirrored object, and the ways from one to another."""

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
    SyncState,
    Transaction,
)

from .conftest import MIRRORS, list_url, page_url
from .test_lists import INLINE, shown

each_mirror = pytest.mark.parametrize("model", MIRRORS, ids=lambda model: model.__name__)


def link_to(row: Mirror, text: str) -> str:
    return f'<a href="{page_url(row)}">{text}</a>'


@each_mirror
def test_a_page_shows_every_column_of_its_object(browser: Client, model: type[Mirror]) -> None:
    row = model.objects.create(mode="test", key="k", raw={"hello": "world"})
    fields = browser.get(page_url(row)).context["adminform"].fieldsets
    shown = {
        getattr(name, "column", getattr(name, "__name__", name))
        for _, how in fields
        for name in how["fields"]
    }
    columns = {field.name for field in model._meta.concrete_fields} - {"id", "archived", "currency", "raw"}
    assert columns <= shown


@each_mirror
def test_a_page_needs_permission_and_no_inline_scripts(staff: Any, model: type[Mirror]) -> None:
    row = model.objects.create(mode="test", key="k", raw={"hello": "world"})
    assert not INLINE.findall(staff(f"view_{model._meta.model_name}").get(page_url(row)).rendered_content)


@each_mirror
def test_a_page_is_closed_without_permission(staff: Any, model: type[Mirror]) -> None:
    assert staff().get(page_url(model.objects.create(mode="test", key="k"))).status_code == 403


def test_what_was_received_is_readable_and_harmless(browser: Client) -> None:
    row = Group.objects.create(
        mode="test", key="k", raw={"name": "Süd", "names": ["<script>alert(1)</script>"]}
    )
    html = browser.get(page_url(row)).rendered_content
    assert (
        '<pre class="partnerstack-raw">{\n  &quot;name&quot;: &quot;Süd&quot;,\n  &quot;names&quot;: [\n'
        in html
    )
    assert "<script>alert" not in html


@pytest.mark.parametrize(
    ("model", "column", "target", "label"),
    [
        (Partnership, "group_key", Group(key="k", name="Resellers"), "Resellers"),
        (Customer, "partnership_key", Partnership(key="k", partner_key="ada"), "ada"),
        (Transaction, "customer_key", Customer(key="k", customer_key="account-1"), "account-1"),
        (Reward, "partnership_key", Partnership(key="k", partner_key="ada"), "ada"),
        (Reward, "customer_key", Customer(key="k"), "k"),
        (Reward, "transaction_key", Transaction(key="k"), "k"),
        (Action, "customer_key", Customer(key="k", customer_key="account-1"), "account-1"),
        (Action, "partnership_key", Partnership(key="k", partner_key="ada"), "ada"),
        (Deal, "partner_key", Partnership(key="x", partner_key="k"), "k"),
        (Lead, "partner_key", Partnership(key="x", partner_key="k"), "k"),
    ],
    ids=lambda value: value if isinstance(value, str) else getattr(value, "__name__", ""),
)
class TestLinks:
    def test_lead_to_the_object_that_is_named(
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


def test_what_partnerstack_sent_is_escaped_in_links(browser: Client) -> None:
    Partnership.objects.create(mode="test", key="part_1", partner_key="<b>ada")
    Customer.objects.create(mode="test", key="cus_1", partnership_key="part_1")
    html = browser.get(list_url(Customer)).rendered_content
    assert "&lt;b&gt;ada" in html
    assert "<b>ada" not in html


def test_a_page_counts_and_lists_what_belongs_to_it(browser: Client) -> None:
    customer = Customer.objects.create(mode="test", key="cus/1 &", customer_key="account-1")
    for key, mode in (("a", "test"), ("b", "test"), ("c", "production")):
        Transaction.objects.create(mode=mode, key=key, customer_key="cus/1 &")
    html = browser.get(page_url(customer)).rendered_content
    assert (
        f'<a href="{list_url(Transaction)}?mode=test&amp;customer_key=cus%2F1+%26">Transactions: 2</a>'
        in html
    )
    assert shown(browser, list_url(Transaction), mode="test", customer_key="cus/1 &") == ["b", "a"]
    assert "<div>Rewards: 0</div>" in html


def test_nothing_belongs_to_a_customer_without_key(browser: Client) -> None:
    Transaction.objects.create(mode="test", key="a", customer_key="")
    customer = Customer.objects.create(mode="test", key=None, customer_key="account-1")
    assert "<div>Transactions: 0</div>" in browser.get(page_url(customer)).rendered_content


def test_a_sync_state_shows_where_the_walk_stands(browser: Client) -> None:
    state = SyncState.objects.create(
        mode="test", resource="customers", checkpoint={"full": True, "cursor": "cus_7"}
    )
    html = browser.get(page_url(state)).rendered_content
    assert "&quot;cursor&quot;: &quot;cus_7&quot;" in html
    assert ">full<" in browser.get(list_url(SyncState)).rendered_content


@pytest.mark.parametrize(("until", "holder"), [("2000-01-01T00:00Z", "-"), ("2999-01-01T00:00Z", "web-1")])
def test_a_run_holds_a_resource_until_its_time_is_up(browser: Client, until: str, holder: str) -> None:
    SyncState.objects.create(mode="test", resource="customers", lease_owner="web-1", lease_expires_at=until)
    assert f'<td class="field-holder">{holder}</td>' in browser.get(list_url(SyncState)).rendered_content
