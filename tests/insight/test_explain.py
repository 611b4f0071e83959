from __future__ import annotations

import re
from typing import Any

import pytest

from django_partnerstack import sources, track
from django_partnerstack.insight import explain
from django_partnerstack.models import Attribution, Customer, Partnership
from django_partnerstack.outbox.push import worker
from django_partnerstack.sandbox import TEST_TRACKING_TOKEN, Sandbox
from tests.shop.models import Account

from .conftest import sign_up

pytestmark = pytest.mark.django_db(transaction=True)

LINK = "/pricing/?ps_partner_key=Z3N0ZXN0&pscd=get.example.com"


def explained(account: Account) -> str:
    return " ".join(explain(f"shop-account-{account.pk}", mode="test"))


def synced(**columns: Any) -> None:
    Customer.objects.update(key="cust_1", **columns)


def test_a_sign_up_by_a_link_is_explained_from_the_click_to_partnerstack(partnerstack: Sandbox) -> None:
    Partnership.objects.create(mode="test", key="part_1", partner_key="gstest")
    account = sign_up(LINK)
    worker().run()
    decision, click, reporting, message, customer = explain(f"shop-account-{account.pk}", mode="test")
    assert decision.startswith(f"shop-account-{account.pk} was created on ")
    assert decision.endswith("Its click was read from the link of the same request.")
    link = "a link of the partner gstest at get.example.com to /pricing/ on "
    assert click.startswith(f"The visitor followed {link}")
    assert click.endswith("There is no click ID.")
    assert reporting == "The customer is reported with the partner key gstest."
    assert message.startswith(f"customers.create shop-account-{account.pk}: delivered on ")
    assert customer.startswith("PartnerStack has the customer as cus_")
    assert customer.endswith("under the partner gstest.")


def test_a_click_with_an_id_is_converted(partnerstack: Sandbox, settings: Any) -> None:
    settings.PARTNERSTACK_TRACKING_TOKEN = TEST_TRACKING_TOKEN
    xid = partnerstack.click("gstest")
    account = sign_up(f"/?ps_xid={xid}")
    worker().run(limit=1)
    assert f"The customer is reported by converting the click {xid}." in explained(account)


def test_a_queued_sign_up_waits_for_the_worker(db: None) -> None:
    assert "The customer is queued. The worker decides how to report it" in explained(sign_up(LINK))


def test_an_organic_sign_up_is_explained(partnerstack: Sandbox) -> None:
    account = sign_up()
    worker().run()
    assert ", without a click. The visitor did not come by a partner's link" in explained(account)
    assert "The customer is organic, so it is not reported to PartnerStack." in explained(account)
    assert "According to the last sync, PartnerStack does not have the customer." in explained(account)


def test_a_customer_that_was_not_reported_is_explained(partnerstack: Sandbox, django_user_model: Any) -> None:
    user = django_user_model.objects.create(username="ada")
    track.event(user, "demo")
    worker().run()
    sentences = " ".join(explain(f"auth-user-{user.pk}", mode="test"))
    assert "Customer not reported yet: its messages wait until the site reports it" in sentences
    assert "waiting for its customer, queued on " in sentences


def test_the_error_of_a_source_is_explained(monkeypatch: pytest.MonkeyPatch, db: None) -> None:
    monkeypatch.setitem(sources.customers, Account, lambda account: 1 / 0)
    account = sign_up(LINK)
    text = "The customer could not be reported once, on "
    assert text in explained(account)
    assert ": ZeroDivisionError: division by zero Correct the cause, then save it" in explained(account)
    account.save()
    assert "could not be reported 2 times, most recently on " in explained(account)


def test_the_partner_of_an_operator_is_not_named_by_the_site(partnerstack: Sandbox) -> None:
    account = sign_up(partner_key="other")
    track.assign(f"shop-account-{account.pk}", "gstest", by="eve")
    worker().run()
    assert "The customer is reported with the partner key gstest. " in explained(account)
    assert "which the site itself names" not in explained(account)


def test_a_sign_up_outside_a_request_has_no_attribution(db: None) -> None:
    account = Account.objects.create(email="ada@example.com")
    assert f"This site has no attribution for shop-account-{account.pk}." in explained(account)


def test_a_partner_that_the_site_names_comes_before_the_click(partnerstack: Sandbox) -> None:
    account = sign_up("/?ps_partner_key=b3RoZXI", partner_key="gstest")
    worker().run()
    assert "reported with the partner key gstest, which the site itself names." in explained(account)


def test_a_key_that_cannot_be_decoded_is_shown(db: None) -> None:
    account = sign_up("/?ps_partner_key=Nzg0ZGsdsZWYyMWRi&ps_xid=abc")
    assert "a link whose partner key cannot be read (Nzg0ZGsdsZWYyMWRi) to / on " in explained(account)
    assert "The click ID is abc." in explained(account)


def test_earlier_clicks_are_shown(db: None) -> None:
    account = sign_up(LINK)
    Attribution.objects.update(
        earlier_clicks=[{"click_id": "old", "partner_key": "x", "at": "2026-01-31T10:00:00+00:00"}]
    )
    assert (
        "Earlier click: The visitor followed a link of the partner x on 2026-01-31 at 10:00 UTC. "
        "The click ID is old. The last click counts."
    ) in explained(account)


def test_an_assigned_partner_is_shown_with_the_operator(partnerstack: Sandbox) -> None:
    account = sign_up()
    worker().run()
    track.assign(f"shop-account-{account.pk}", "gstest", by="eve")
    assert f"shop-account-{account.pk} is attributed to the partner gstest. Assigned by eve." in explained(
        account
    )


def test_a_partner_that_was_not_synced_is_shown(db: None) -> None:
    account = sign_up(LINK)
    assert "do not include the partner gstest. Run partnerstack_sync partnerships" in explained(account)


class TestADifference:
    @pytest.fixture
    def account(self, partnerstack: Sandbox) -> Account:
        Partnership.objects.create(mode="test", key="part_1", partner_key="gstest")
        account = sign_up(LINK)
        worker().run()
        return account

    def test_is_shown_if_partnerstack_has_another_partner(self, account: Account) -> None:
        synced(partner_key="other", partnership_key="part_2")
        assert (
            "The attributions differ: this site attributes the customer to gstest, PartnerStack to other."
            in explained(account)
        )

    def test_is_not_shown_if_the_partners_key_was_changed(self, account: Account) -> None:
        synced(partner_key="other", partnership_key="part_1")
        assert "The attributions differ" not in explained(account)

    def test_is_shown_for_a_customer_of_the_other_mode(self, account: Account) -> None:
        synced(test=False)
        expected = "PartnerStack does not mark it as test data, but this site runs in test mode."
        assert expected in explained(account)

    def test_is_shown_for_a_customer_that_is_archived_or_missing(self, account: Account) -> None:
        synced(archived=True, missing_since=Attribution.objects.get().bound_at)
        assert re.search(
            r"It is archived at PartnerStack\. A sync on .+ no longer found it at PartnerStack\.",
            explained(account),
        )


def test_keys_are_replaced(db: None, settings: Any) -> None:
    settings.PARTNERSTACK_SECRET_KEY = "sk_canary"
    account = sign_up()
    Attribution.objects.update(reason="Refused sk_canary.")
    assert "Refused ***." in explained(account)
