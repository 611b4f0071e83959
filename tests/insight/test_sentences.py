from __future__ import annotations

from typing import Any

import pytest

from django_partnerstack import track
from django_partnerstack.insight import explain
from django_partnerstack.models import Attribution, Customer, Partnership
from django_partnerstack.outbox.delivery.loop import site_delivery
from django_partnerstack.sandbox import TEST_TRACKING_TOKEN, Sandbox
from tests.shop.models import Account

from .conftest import sign_up

pytestmark = pytest.mark.django_db(transaction=True)

LINK = "/pricing/?ps_partner_key=Z3N0ZXN0&pscd=get.example.com"


def said(account: Account) -> str:
    return " ".join(explain(f"account-{account.pk}", mode="test"))


def mirrored(**columns: Any) -> None:
    Customer.objects.update(key="cust_1", **columns)


def test_who_came_by_a_link_is_explained_from_click_to_partnerstack(partnerstack: Sandbox) -> None:
    Partnership.objects.create(mode="test", key="part_1", partner_key="gstest")
    account = sign_up(LINK)
    site_delivery().run()
    decided, click, told, message, mirror = explain(f"account-{account.pk}", mode="test")
    assert decided.endswith("its click was known from the partner link in the same request.")
    assert click.startswith("The click without an id of the partner gstest, made on ")
    assert click.endswith("landed on /pricing/, came by a link of get.example.com.")
    assert told == "PartnerStack is told to credit the partner gstest, by partner key."
    assert message.startswith(f"customers.create account-{account.pk}: delivered on ")
    assert mirror.startswith("PartnerStack has it as cus_")
    assert mirror.endswith("under the partner gstest.")


def test_a_click_with_an_id_is_converted(partnerstack: Sandbox, settings: Any) -> None:
    settings.PARTNERSTACK_TRACKING_TOKEN = TEST_TRACKING_TOKEN
    xid = partnerstack.click("gstest")
    account = sign_up(f"/?ps_xid={xid}")
    site_delivery().run(limit=1)
    assert f"PartnerStack is told by a conversion of the click {xid}." in said(account)


def test_a_sign_up_before_any_worker_says_what_it_waits_for(db: None) -> None:
    assert "the worker decides how PartnerStack is told when it takes it in." in said(sign_up(LINK))


def test_an_organic_sign_up_says_why(partnerstack: Sandbox) -> None:
    account = sign_up()
    site_delivery().run()
    assert "no click was known. The visitor brought no click" in said(account)
    assert "It counts as organic, so that PartnerStack is not told of it." in said(account)
    assert "PartnerStack does not have it" in said(account)


def test_a_sign_up_outside_of_any_request_says_so(db: None) -> None:
    account = Account.objects.create(email="ada@example.com")
    assert f"Nothing was written down here of who sent account-{account.pk}" in said(account)


def test_a_partner_whom_the_site_names_goes_before_the_click(partnerstack: Sandbox) -> None:
    account = sign_up("/?ps_partner_key=b3RoZXI", partner_key="gstest")
    site_delivery().run()
    assert "PartnerStack is told to credit the partner gstest, whom the site itself names." in said(account)


def test_a_key_that_cannot_be_read_is_told(db: None) -> None:
    account = sign_up("/?ps_partner_key=Nzg0ZGsdsZWYyMWRi&ps_xid=abc")
    assert "The click abc whose partner key cannot be read (Nzg0ZGsdsZWYyMWRi)" in said(account)


def test_earlier_clicks_are_told(db: None) -> None:
    account = sign_up(LINK)
    Attribution.objects.update(
        earlier_clicks=[{"click_id": "old", "partner_key": "x", "at": "2026-01-31T10:00:00+00:00"}]
    )
    assert "An earlier click old of the partner x, made on 2026-01-31 at 10:00 UTC. The last click" in said(
        account
    )


def test_a_partner_chosen_by_hand_is_told_with_who_chose(partnerstack: Sandbox) -> None:
    account = sign_up()
    site_delivery().run()
    track.assign(f"account-{account.pk}", "gstest", by="eve")
    assert f"account-{account.pk} is credited to the partner gstest. Assigned by eve." in said(account)


def test_a_partner_that_is_not_in_the_mirror_is_told(db: None) -> None:
    account = sign_up(LINK)
    assert "The mirror knows no partner gstest. Run partnerstack_sync partnerships" in said(account)


class TestWhatDiffers:
    @pytest.fixture
    def account(self, partnerstack: Sandbox) -> Account:
        Partnership.objects.create(mode="test", key="part_1", partner_key="gstest")
        account = sign_up(LINK)
        site_delivery().run()
        return account

    def test_is_the_partner_if_partnerstack_has_another(self, account: Account) -> None:
        mirrored(partner_key="other", partnership_key="part_2")
        assert "They differ: this site credits gstest, PartnerStack credits other." in said(account)

    def test_is_not_a_partner_who_got_another_key(self, account: Account) -> None:
        mirrored(partner_key="other", partnership_key="part_1")
        assert "They differ" not in said(account)

    def test_is_a_customer_of_the_other_mode(self, account: Account) -> None:
        mirrored(test=False)
        assert "PartnerStack says that it is no test customer, and this site is in test mode." in said(
            account
        )

    def test_is_one_that_is_archived_or_gone(self, account: Account) -> None:
        mirrored(archived=True, missing_since=Attribution.objects.get().bound_at)
        assert "It is archived there. It was no longer found there on " in said(account)


def test_keys_are_struck_out(db: None, settings: Any) -> None:
    settings.PARTNERSTACK_SECRET_KEY = "sk_canary"
    account = sign_up()
    Attribution.objects.update(reason="Refused sk_canary.")
    assert "Refused ***." in said(account)
