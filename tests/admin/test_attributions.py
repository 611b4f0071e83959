from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.messages import SUCCESS, WARNING
from django.db.models import Model
from django.test import Client
from django.utils import timezone

from django_partnerstack.models import Attribution, Customer, OutboxMessage, Partnership, State
from django_partnerstack.outbox.delivery.loop import site_delivery
from django_partnerstack.sandbox import Sandbox
from tests.insight.conftest import sign_up

from .conftest import list_url, page_url, queue

pytestmark = pytest.mark.django_db

ASSIGN = "/admin/partnerstack/attribution/assign/"


@pytest.fixture
def clerk(staff: Callable[..., Client]) -> Client:
    """Somebody who may see attributions and customers, and assign partners."""
    return staff("view_attribution", "assign_attribution", "view_customer")


def decided(customer_key: str = "account-1", **columns: Any) -> Attribution:
    columns.setdefault("bound_at", timezone.now())
    return Attribution.objects.create(mode="test", customer_key=customer_key, **columns)


def shown(browser: Client, row: Model) -> str:
    return browser.get(page_url(row)).rendered_content


def assign(browser: Client, customer_key: str, partner_key: str = "gstest") -> Any:
    form = {"customer_key": customer_key, "partner_key": partner_key}
    return browser.post(ASSIGN, form, follow=True)


def said(page: Any) -> list[tuple[int, str]]:
    return [(message.level, message.message) for message in page.context["messages"]]


class TestList:
    def test_says_who_sent_each_customer(self, browser: Client) -> None:
        customer = Customer.objects.create(mode="test", customer_key="account-1")
        partnership = Partnership.objects.create(mode="test", key="part_1", partner_key="gstest")
        decided(method="cookie", partner_key="gstest", landing_path="/pricing/")
        html = browser.get(list_url(Attribution)).rendered_content
        assert page_url(customer) in html
        assert page_url(partnership) in html
        assert "/pricing/" in html

    def test_counts_the_sign_ups_of_the_last_days(self, browser: Client) -> None:
        decided("a", click_id="x")
        decided("b", partner_key="gstest")
        decided("c")
        decided("old", bound_at=timezone.now() - timedelta(days=31))
        html = browser.get(list_url(Attribution)).rendered_content
        assert "last 30 days: <strong>2</strong> attributed, <strong>1</strong> organic" in html

    @pytest.mark.parametrize(("organic", "there"), [("yes", "account-1"), ("no", "account-2")])
    def test_can_be_narrowed_to_organic_ones(self, browser: Client, organic: str, there: str) -> None:
        decided("account-1")
        decided("account-2", click_id="x")
        changelist = browser.get(f"{list_url(Attribution)}?organic={organic}").context["cl"]
        assert [row.customer_key for row in changelist.result_list] == [there]

    def test_takes_as_many_queries_for_many_as_for_one(
        self, browser: Client, django_assert_num_queries: Any
    ) -> None:
        for number in range(20):
            decided(str(number), partner_key="gstest")
        with django_assert_num_queries(9):
            browser.get(list_url(Attribution))


class TestPage:
    def test_explains(self, browser: Client) -> None:
        html = shown(browser, decided(reason="The visitor has not consented."))
        assert ", without a click. The visitor has not consented." in html

    def test_shows_earlier_clicks_and_what_was_told_of_the_visit(self, browser: Client) -> None:
        row = decided(click_id="x", earlier_clicks=[{"click_id": "first"}], visit={"user_agent": "Firefox"})
        html = shown(browser, row)
        assert "first" in html
        assert "Firefox" in html

    def test_leads_to_the_sites_own_object(self, admin_client: Client) -> None:
        account = sign_up("/?ps_xid=abc")
        assert page_url(account) in shown(admin_client, Attribution.objects.get())

    def test_offers_to_assign_a_partner_to_who_may(self, clerk: Client) -> None:
        row = decided()
        assert f"{ASSIGN}?customer=account-1" in shown(clerk, row)

    def test_offers_it_no_longer_once_partnerstack_has_the_customer(self, clerk: Client) -> None:
        row = decided()
        Customer.objects.create(mode="test", key="cus_1", customer_key="account-1")
        assert ASSIGN not in shown(clerk, row)

    def test_changes_nothing(self, admin_client: Client) -> None:
        row = decided()
        assert admin_client.post(page_url(row), {"partner_key": "x"}).status_code == 403
        assert admin_client.get(f"{list_url(Attribution)}add/").status_code == 403


class TestCustomerPage:
    def test_explains_and_leads_to_the_attribution(self, browser: Client) -> None:
        row = decided(partner_key="gstest")
        customer = Customer.objects.create(mode="test", key="cus_1", customer_key="account-1")
        html = shown(browser, customer)
        assert page_url(row) in html
        assert "PartnerStack has the customer as cus_1" in html

    def test_needs_permission_to_see_attributions(self, staff: Callable[..., Client]) -> None:
        decided(partner_key="gstest")
        customer = Customer.objects.create(mode="test", customer_key="account-1")
        assert "partnerstack-why" not in shown(staff("view_customer"), customer)

    @pytest.mark.parametrize(("key", "offered"), [(None, True), ("cus_1", False)])
    def test_offers_to_assign_a_partner_until_partnerstack_has_it(
        self, clerk: Client, key: str | None, offered: bool
    ) -> None:
        customer = Customer.objects.create(mode="test", key=key, customer_key="account-1")
        assert (ASSIGN in shown(clerk, customer)) is offered


@pytest.mark.django_db(transaction=True)
class TestAssigning:
    def test_credits_an_organic_customer_and_tells_partnerstack(
        self, clerk: Client, partnerstack: Sandbox
    ) -> None:
        Partnership.objects.create(mode="test", key="part_1", partner_key="gstest")
        account = sign_up()
        site_delivery().run()
        key = f"account-{account.pk}"
        assert said(assign(clerk, key)) == [
            (SUCCESS, f"The customer {key} is credited to the partner gstest.")
        ]
        site_delivery().run()
        assert partnerstack.objects("customers")[0]["partner_key"] == "gstest"

    def test_is_in_the_history_with_who_did_it(self, clerk: Client) -> None:
        row = decided(partner_key="other")
        assign(clerk, "account-1")
        history = clerk.get(f"{list_url(Attribution)}{row.pk}/history/").rendered_content
        assert "Assigned partner gstest, before: other." in history
        assert "staff" in history

    def test_lets_an_unknown_partner_through_with_a_warning(self, clerk: Client) -> None:
        decided()
        (_, done), (level, text) = said(assign(clerk, "account-1", "stranger"))
        assert done == "The customer account-1 is credited to the partner stranger."
        assert level == WARNING
        assert text.startswith("The mirror has no partner stranger.")

    def test_says_so_if_partnerstack_has_the_customer(self, clerk: Client) -> None:
        decided()
        Customer.objects.create(mode="test", key="cus_1", customer_key="account-1")
        page = assign(clerk, "account-1")
        assert "PartnerStack has account-1 already" in page.rendered_content
        assert Attribution.objects.get().partner_key == ""

    def test_says_so_if_partnerstack_may_have_it(self, clerk: Client) -> None:
        decided()
        queue(State.UNCONFIRMED, "customers.create", in_doubt_since=timezone.now())
        page = assign(clerk, "account-1")
        assert "PartnerStack may have account-1 already" in page.rendered_content
        assert Attribution.objects.get().partner_key == ""

    def test_says_what_is_no_partner_key(self, clerk: Client) -> None:
        decided()
        page = assign(clerk, "account-1", "two\nlines")
        assert "A partner key has 1 to 255 printable characters" in page.rendered_content

    def test_needs_a_customer_that_there_is(self, clerk: Client) -> None:
        page = assign(clerk, "account-7")
        assert "There is no such customer in test mode." in page.rendered_content
        assert not Attribution.objects.exists()

    def test_takes_an_address_for_the_customer_unless_several_have_it(self, clerk: Client) -> None:
        account = sign_up(email="ada@example.com")
        assign(clerk, "ada@example.com")
        assert Attribution.objects.get().partner_key == "gstest"
        other = sign_up(email="ada@example.com")
        page = assign(clerk, "ada@example.com")
        assert f"give a customer key: account-{account.pk}, account-{other.pk}." in page.rendered_content

    def test_works_for_a_customer_of_whom_nothing_was_decided(self, clerk: Client) -> None:
        queue(State.ORGANIC, "customers.create")
        assign(clerk, "account-1")
        assert Attribution.objects.get().partner_key == "gstest"
        assert OutboxMessage.objects.get().state == State.QUEUED

    def test_begins_with_the_customer_of_the_page_and_suggests_partners(self, clerk: Client) -> None:
        Partnership.objects.create(mode="test", key="part_1", partner_key="gstest")
        html = clerk.get(f"{ASSIGN}?customer=account-1").rendered_content
        assert 'value="account-1"' in html
        assert '<option value="gstest">' in html

    def test_needs_its_own_permission(self, browser: Client) -> None:
        decided()
        assert ASSIGN not in browser.get(list_url(Attribution)).rendered_content
        assert assign(browser, "account-1").status_code == 403
        assert Attribution.objects.get().partner_key == ""
