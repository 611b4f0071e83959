from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from django_partnerstack.attribution import encode
from django_partnerstack.models import Attribution, Customer, Partnership
from tests.insight.conftest import sign_up

from ..conftest import ASSIGN, attribution, html_of, list_url, page_url, queries

pytestmark = pytest.mark.django_db


@pytest.fixture
def operator(staff: Callable[..., Client]) -> Client:
    """An operator who may see attributions and customers, and assign partners."""
    return staff("view_attribution", "assign_attribution", "view_customer")


class TestList:
    def test_names_the_partner_of_each_customer(self, browser: Client) -> None:
        customer = Customer.objects.create(mode="test", key="cus_1", customer_key="shop-account-1")
        partnership = Partnership.objects.create(mode="test", key="part_1", partner_key="gstest")
        attribution(method="cookie", partner_key="gstest", landing_path="/pricing/")
        html = browser.get(list_url(Attribution)).rendered_content
        assert page_url(customer) in html
        assert page_url(partnership) in html
        assert "/pricing/" in html

    def test_counts_the_sign_ups_of_the_last_days(self, browser: Client) -> None:
        attribution("a", click_id="x")
        attribution("b", partner_key="gstest")
        attribution("c")
        attribution("old", bound_at=timezone.now() - timedelta(days=31))
        html = browser.get(list_url(Attribution)).rendered_content
        assert "last 30 days: <strong>2</strong> attributed, <strong>1</strong> organic" in html

    @pytest.mark.parametrize(("organic", "listed"), [("yes", "shop-account-1"), ("no", "shop-account-2")])
    def test_can_be_narrowed_to_organic_customers(self, browser: Client, organic: str, listed: str) -> None:
        attribution("shop-account-1")
        attribution("shop-account-2", click_id="x")
        changelist = browser.get(f"{list_url(Attribution)}?organic={organic}").context["cl"]
        assert [row.customer_key for row in changelist.result_list] == [listed]

    def test_takes_as_many_queries_for_many_as_for_one(self, browser: Client) -> None:
        attribution("0", partner_key="gstest")
        few = queries(browser, list_url(Attribution))
        for number in range(1, 20):
            attribution(str(number), partner_key="gstest")
        assert queries(browser, list_url(Attribution)) == few <= 9


class TestPage:
    def test_explains_why_the_customer_is_organic(self, browser: Client) -> None:
        html = html_of(browser, attribution(reason="The visitor has not consented."))
        assert ", without a click. The visitor has not consented." in html

    @pytest.mark.parametrize(("also", "shown"), [((), False), (("view_outboxmessage",), True)])
    def test_needs_permission_to_explain_the_messages(
        self, staff: Callable[..., Client], also: tuple[str, ...], shown: bool
    ) -> None:
        sign_up(f"/?ps_xid=abc&ps_partner_key={encode('gstest')}")
        html = html_of(staff("view_attribution", *also), Attribution.objects.get())
        assert "The visitor followed a link of the partner gstest" in html
        assert ("customers.save" in html) == ("The customer is queued." in html) == shown

    def test_shows_earlier_clicks_and_the_visit(self, browser: Client) -> None:
        row = attribution(
            click_id="x", earlier_clicks=[{"click_id": "first"}], visit={"user_agent": "Firefox"}
        )
        html = html_of(browser, row)
        assert "first" in html
        assert "Firefox" in html

    def test_links_to_the_sites_own_object(self, admin_client: Client) -> None:
        account = sign_up("/?ps_xid=abc")
        assert page_url(account) in html_of(admin_client, Attribution.objects.get())

    def test_offers_to_assign_a_partner_with_permission(self, operator: Client) -> None:
        row = attribution()
        assert f"{ASSIGN}?customer=shop-account-1" in html_of(operator, row)

    def test_does_not_offer_it_once_partnerstack_has_the_customer(self, operator: Client) -> None:
        row = attribution()
        Customer.objects.create(mode="test", key="cus_1", customer_key="shop-account-1")
        assert ASSIGN not in html_of(operator, row)

    def test_links_to_its_history(self, browser: Client) -> None:
        row = attribution()
        assert f'href="{list_url(Attribution)}{row.pk}/history/"' in html_of(browser, row)
