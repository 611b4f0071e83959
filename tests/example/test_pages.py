from __future__ import annotations

import pytest
from django.test import Client

from django_partnerstack.models import OutboxMessage
from example_project.saas.models import Account, Payment

pytestmark = pytest.mark.django_db

FORM = {"name": "Bob Ltd", "email": "Bob@example.com", "password": "correct horse", "partner_key": "partner1"}


@pytest.mark.parametrize("path", ["/", "/tour/", "/pricing/", "/sign-up/", "/log-in/", "/admin/login/"])
def test_every_page_answers(client: Client, path: str) -> None:
    assert client.get(path).status_code == 200


def test_a_sign_up_is_logged_in_and_reported(client: Client, partner: object) -> None:
    response = client.post("/sign-up/", FORM, follow=True)
    assert response.redirect_chain == [("/billing/", 302)]
    assert "Referred by <strong>partner1</strong>" in response.content.decode()
    assert OutboxMessage.objects.get().payload["email"] == "bob@example.com"


def test_a_sign_up_by_a_link_shows_the_click(client: Client, partner: object) -> None:
    client.get("/pricing/?ps_partner_key=cGFydG5lcjE")
    page = client.post("/sign-up/", {**FORM, "partner_key": ""}, follow=True).content.decode()
    assert "Referred by <strong>partner1</strong>, whose link was clicked" in page
    assert "<code>/pricing/</code>" in page


def test_a_click_without_a_readable_partner_is_shown(client: Client, partner: object) -> None:
    client.get("/?ps_xid=abc")
    page = client.post("/sign-up/", {**FORM, "partner_key": ""}, follow=True).content.decode()
    assert "Referred by the click <code>abc</code>." in page


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"partner_key": "nobody"}, "There is no such partner"),
        ({"password": "short"}, "This password is too short"),
        ({"email": "ADA@example.com"}, "An account with this address exists"),
    ],
)
def test_a_rejected_sign_up_says_why(
    client: Client, account: Account, changes: dict[str, str], says: str
) -> None:
    page = client.post("/sign-up/", FORM | changes).content.decode()
    assert says in page
    assert Account.objects.count() == 1


def test_a_charge_is_shown_with_its_message_to_partnerstack(browser: Client) -> None:
    page = browser.post("/billing/charge/", {"amount": "49.00"}, follow=True).content.decode()
    assert "You have paid 49.00 USD." in page
    assert "<td>transactions.create</td>" in page


def test_a_refund_is_shown(browser: Client, account: Account) -> None:
    browser.post("/billing/charge/", {"amount": "49.00"})
    payment = Payment.objects.get()
    url = f"/billing/payments/{payment.pk}/refund/"
    assert "9.00 USD refunded." in browser.post(url, {"amount": "9.00"}, follow=True).content.decode()
    assert f"<td>{payment.key}~r1</td>" in browser.get("/billing/").content.decode()


@pytest.mark.parametrize("amount", ["60", "0", "much", "1.001"])
def test_an_amount_that_cannot_be_refunded_says_why(browser: Client, amount: str) -> None:
    browser.post("/billing/charge/", {"amount": "49.00"})
    url = f"/billing/payments/{Payment.objects.get().pk}/refund/"
    assert '<li class="error">' in browser.post(url, {"amount": amount}, follow=True).content.decode()
    assert Payment.objects.get().refunded == 0


def test_no_user_can_refund_the_payment_of_another(browser: Client, django_user_model: type) -> None:
    other = django_user_model.objects.create_user("eve@example.com")
    account = Account.objects.create(owner=other, name="Eve Ltd")
    payment = Payment.objects.create(account=account, amount="49.00", paid=True)
    assert browser.post(f"/billing/payments/{payment.pk}/refund/", {"amount": "49.00"}).status_code == 404


def test_billing_needs_a_login(client: Client) -> None:
    assert client.get("/billing/")["Location"].startswith("/log-in/")


def test_a_user_without_an_account_sees_a_message(admin_client: Client) -> None:
    assert "You have no account here" in admin_client.get("/billing/", follow=True).content.decode()


def test_no_page_has_script_or_style_in_it(browser: Client) -> None:
    browser.post("/billing/charge/", {"amount": "49.00"})
    for path in ("/", "/tour/", "/pricing/", "/billing/", "/sign-up/"):
        page = browser.get(path).content.decode()
        assert not any(found in page for found in ("<script", "<style", " style=", " onclick="))


def test_the_admin_offers_to_push_the_sites_own_objects(admin_client: Client, account: Account) -> None:
    page = admin_client.get("/admin/saas/account/").content.decode()
    assert "Push to PartnerStack" in page
