from __future__ import annotations

import json
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from django_partnerstack.models import Customer, OutboxMessage
from tests.outbox.site import Site, account
from tests.shop.models import Account

EMAIL = "ada@customers.example"


def run(*arguments: str) -> list[str]:
    out = StringIO()
    call_command("partnerstack_forget", *arguments, stdout=out)
    return out.getvalue().splitlines()


@pytest.fixture
def ada(db: None) -> Account:
    site = Site()
    ada = account(email=EMAIL, name="Ada")
    site.push()
    return ada


def test_it_says_what_was_done_and_what_is_left(ada: Account) -> None:
    key = f"shop-account-{ada.pk}"
    assert run(key) == [
        f"Customer {key} (test mode) is forgotten.",
        "Rows erased: customers: 1, attempts: 1, outbox messages: 1.",
        "Queued for PartnerStack: the customer is anonymised, then archived.",
        "PartnerStack keeps the customer, its payments with their metadata, its rewards, deals and leads, "
        "and its own logs. Ask PartnerStack to erase them if the law requires it.",
        "Not erased: your own tables, your log files and backups, and what other services, such as your "
        "billing service, store.",
    ]


def test_a_dry_run_changes_nothing(ada: Account) -> None:
    lines = run(EMAIL, "--dry-run")
    assert lines[0] == f"Customer shop-account-{ada.pk} (test mode) would be forgotten."
    assert lines[1] == "Rows to erase: customers: 1, attempts: 1, outbox messages: 1."
    assert Customer.objects.get(customer_key=f"shop-account-{ada.pk}").email == EMAIL
    assert not OutboxMessage.objects.filter(operation="customers.archive").exists()


@pytest.mark.parametrize("by", ["key", "e-mail", "object", "PartnerStack's key"])
def test_a_customer_is_found_again_after_it_was_forgotten(ada: Account, by: str) -> None:
    remote = Customer.objects.get(customer_key=f"shop-account-{ada.pk}").key
    given = {"key": f"shop-account-{ada.pk}", "e-mail": EMAIL, "object": str(ada.pk)}.get(by, remote)
    run(given)
    Account.objects.all().delete()
    if by != "object":
        assert run(given)[1] == "Rows erased: none."


def test_an_unknown_customer_is_one_line(db: None) -> None:
    with pytest.raises(CommandError, match=r"no customer 'nobody@x\.example' in test mode: give its key"):
        run("nobody@x.example")


def test_several_customers_are_named(ada: Account) -> None:
    other = account(email=EMAIL)
    with pytest.raises(CommandError, match="Several customers match; give a customer key"):
        run(EMAIL)
    assert run(f"shop-account-{other.pk}")


def test_whoever_signed_up_again_is_meant_by_the_address(ada: Account) -> None:
    run(EMAIL)
    again = account(email=EMAIL)
    assert run(EMAIL)[0] == f"Customer shop-account-{again.pk} (test mode) is forgotten."


def test_json_has_the_sentences_too(ada: Account) -> None:
    found = json.loads("".join(run(EMAIL, "--json")))
    assert found["customer_key"] == f"shop-account-{ada.pk}"
    assert found["erased"] == {"customers": 1, "attempts": 1, "outbox messages": 1}
    assert found["told"]["queued"] == ["customers.anonymise", "customers.archive"]
    assert found["sentences"][0] == f"Customer shop-account-{ada.pk} (test mode) is forgotten."


def test_an_address_as_key_that_partnerstack_cannot_be_told_is_one_clear_line(
    ada: Account, settings: Any
) -> None:
    settings.PARTNERSTACK_CUSTOMER_KEY = "tests.privacy.test_forget.address_of"
    site = Site()
    account(email="bob@customers.example")
    site.push()
    Customer.objects.all().delete()
    assert run("bob@customers.example")[2] == (
        "PartnerStack was told nothing: its own key of the customer is not known here, and the site's is an "
        "address. Run partnerstack_sync customers --full, then forget the customer again."
    )


def test_kept_payments_are_named(ada: Account) -> None:
    assert run(EMAIL, "--keep-payments")[-1] == "The texts of payments were kept for your books."
