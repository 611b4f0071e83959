from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.messages import SUCCESS, WARNING
from django.test import Client
from django.utils import timezone

from django_partnerstack.models import Attribution, Customer, OutboxMessage, Partnership, State
from django_partnerstack.outbox.push import worker
from django_partnerstack.sandbox import Sandbox
from tests.insight.conftest import sign_up

from ..conftest import ASSIGN, attribution, list_url, queue, shown_messages

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def operator(staff: Callable[..., Client]) -> Client:
    """An operator who may see attributions and customers, and assign partners."""
    return staff("view_attribution", "assign_attribution", "view_customer")


def assign(browser: Client, customer_key: str, partner_key: str = "gstest") -> Any:
    form = {"customer_key": customer_key, "partner_key": partner_key}
    return browser.post(ASSIGN, form, follow=True)


def test_an_organic_customer_gets_a_partner_and_is_reported(operator: Client, partnerstack: Sandbox) -> None:
    Partnership.objects.create(mode="test", key="part_1", partner_key="gstest")
    account = sign_up()
    worker().run()
    key = f"shop-account-{account.pk}"
    assert shown_messages(assign(operator, key)) == [
        (SUCCESS, f"Customer {key} is now attributed to partner gstest.")
    ]
    worker().run()
    assert partnerstack.objects("customers")[0]["partner_key"] == "gstest"


def test_the_history_shows_who_assigned_it(operator: Client) -> None:
    row = attribution(partner_key="other")
    assign(operator, "shop-account-1")
    history = operator.get(f"{list_url(Attribution)}{row.pk}/history/").rendered_content
    assert "Assigned partner gstest, previously other." in history
    assert "staff" in history


def test_an_unknown_partner_is_accepted_with_a_warning(operator: Client) -> None:
    attribution()
    (_, done), (level, text) = shown_messages(assign(operator, "shop-account-1", "stranger"))
    assert done == "Customer shop-account-1 is now attributed to partner stranger."
    assert level == WARNING
    assert text.startswith("The mirror has no partner stranger.")


def test_an_error_says_that_partnerstack_has_the_customer(operator: Client) -> None:
    attribution()
    Customer.objects.create(mode="test", key="cus_1", customer_key="shop-account-1")
    page = assign(operator, "shop-account-1")
    assert "PartnerStack has shop-account-1 already" in page.rendered_content
    assert Attribution.objects.get().partner_key == ""


def test_an_error_says_that_partnerstack_may_have_the_customer(operator: Client) -> None:
    attribution()
    queue(State.UNCONFIRMED, "customers.create", in_doubt_since=timezone.now())
    page = assign(operator, "shop-account-1")
    assert "PartnerStack may have shop-account-1 already" in page.rendered_content
    assert Attribution.objects.get().partner_key == ""


def test_an_error_names_an_invalid_partner_key(operator: Client) -> None:
    attribution()
    page = assign(operator, "shop-account-1", "two\nlines")
    assert "A partner key has 1 to 255 printable characters" in page.rendered_content


def test_an_error_says_that_there_is_no_such_customer(operator: Client) -> None:
    page = assign(operator, "shop-account-7")
    assert "There is no such customer in test mode." in page.rendered_content
    assert not Attribution.objects.exists()


def test_an_e_mail_address_identifies_the_customer_unless_several_have_it(operator: Client) -> None:
    account = sign_up(email="ada@example.com")
    assign(operator, "ada@example.com")
    assert Attribution.objects.get().partner_key == "gstest"
    other = sign_up(email="ada@example.com")
    page = assign(operator, "ada@example.com")
    assert (
        f"give a customer key: shop-account-{account.pk}, shop-account-{other.pk}." in page.rendered_content
    )


def test_a_customer_without_attribution_can_be_assigned(operator: Client) -> None:
    queue(State.ORGANIC, "customers.create")
    assign(operator, "shop-account-1")
    assert Attribution.objects.get().partner_key == "gstest"
    assert OutboxMessage.objects.get().state == State.QUEUED


def test_the_form_names_the_customer_and_suggests_partners(operator: Client) -> None:
    Partnership.objects.create(mode="test", key="part_1", partner_key="gstest")
    html = operator.get(f"{ASSIGN}?customer=shop-account-1").rendered_content
    assert 'value="shop-account-1"' in html
    assert '<option value="gstest">' in html


def test_assigning_needs_its_own_permission(browser: Client) -> None:
    attribution()
    assert ASSIGN not in browser.get(list_url(Attribution)).rendered_content
    assert assign(browser, "shop-account-1").status_code == 403
    assert Attribution.objects.get().partner_key == ""
