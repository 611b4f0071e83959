from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from django_partnerstack.models import (
    Action,
    Attribution,
    Customer,
    Deal,
    Group,
    Lead,
    Partnership,
    Reward,
    Transaction,
)

from ..conftest import attribution, list_url, shown

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def programme() -> None:
    """Ada and Bob, with a row of each kind."""
    for name in ("ada", "bob"):
        Partnership.objects.create(
            mode="test",
            key=f"part_{name}",
            partner_key=name,
            first_name=name.title(),
            email=f"{name}@x.example",
        )
        key = {"mode": "test", "key": f"of-{name}"}
        Customer.objects.create(mode="test", key=f"cus_{name}", partnership_key=f"part_{name}")
        Transaction.objects.create(**key, customer_key=f"cus_{name}")
        for model in (Reward, Action):
            model.objects.create(**key, partnership_key=f"part_{name}")
        for model in (Deal, Lead):
            model.objects.create(**key, partner_key=name)
        attribution(f"of-{name}", partner_key=name)


@pytest.mark.parametrize("model", [Transaction, Reward, Action, Deal, Lead, Attribution])
@pytest.mark.parametrize("text", ["ada", "part_ada", "ADA@x", "Ada", " ada "])
def test_a_list_shows_the_rows_of_a_partner(browser: Client, model: Any, text: str) -> None:
    assert shown(browser, list_url(model), partner=text) == ["of-ada"]


def test_customers_of_a_partner(browser: Client) -> None:
    assert shown(browser, list_url(Customer), partner="ada") == ["cus_ada"]
    assert shown(browser, list_url(Customer), partner="nobody") == []


def test_an_exact_key_does_not_match_a_longer_one(browser: Client) -> None:
    Partnership.objects.create(mode="test", key="part_3", partner_key="ada2")
    Deal.objects.create(mode="test", key="of-ada2", partner_key="ada2")
    assert shown(browser, list_url(Deal), partner="ada") == ["of-ada"]
    assert shown(browser, list_url(Deal), partner="ad") == ["of-ada2", "of-ada"]


def test_the_form_keeps_the_other_filters_and_suggests_partners(browser: Client) -> None:
    html = browser.get(
        list_url(Reward), {"partner": "ada", "q": "of-ada", "reward_status": "paid"}
    ).rendered_content
    form = html.split('class="partnerstack-partner-filter"')[1].split("</form>")[0]
    assert '<input type="hidden" name="q" value="of-ada">' in form
    assert '<input type="hidden" name="reward_status" value="paid">' in form
    assert 'name="partner" value="ada"' in form
    assert '<option value="bob">' in form


def test_ten_thousand_partners_make_no_longer_page(browser: Client) -> None:
    Partnership.objects.bulk_create(
        Partnership(mode="test", key=f"part_{number}", partner_key=f"p{number}") for number in range(300)
    )
    html = browser.get(list_url(Customer)).rendered_content
    assert html.count("<option value=") <= 110


def test_partnerships_are_filtered_by_group(browser: Client) -> None:
    Group.objects.create(mode="test", key="g1", name="Gold")
    Partnership.objects.filter(partner_key="ada").update(group_key="g1")
    page = browser.get(list_url(Partnership), {"group_key": "g1"})
    assert [str(row) for row in page.context["cl"].result_list] == ["ada"]
    assert "Gold" in page.rendered_content


def test_a_value_that_is_not_offered_stays_chosen(browser: Client) -> None:
    Reward.objects.create(mode="test", key="odd", reward_status="paid_and_refunded")
    page = browser.get(list_url(Reward), {"reward_status": "paid_and_refunded"})
    assert [str(row) for row in page.context["cl"].result_list] == ["odd"]
    assert "paid_and_refunded</a>" in page.rendered_content
