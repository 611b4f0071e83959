"""A renamed model keeps the keys of its customers."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from django_partnerstack import track
from django_partnerstack.models import CustomerIdentity, OutboxMessage, SourceFailure
from tests.checks.run import run
from tests.shop.models import Account

pytestmark = pytest.mark.django_db


@pytest.fixture
def renamed() -> Account:
    """A customer that was reported before its model was renamed and its table with it."""
    shop = Account.objects.create(email="a@customers.example", partner_key="gstest")
    CustomerIdentity.objects.update(model="shop.former", table="shop_former", key="shop-former-1")
    OutboxMessage.objects.update(source="shop.former", customer_source="shop.former", subject="shop-former-1")
    return shop


def labels(databases: Any = ("default",)) -> list[str]:
    return [each.msg for each in run(databases=list(databases)) if each.id == "partnerstack.W011"]


def test_a_label_that_no_model_has_is_found_by_a_check(renamed: Account) -> None:
    [warning] = labels()
    assert warning.startswith("Customers of shop.former were reported, but no model has this label")


def test_labels_are_checked_with_a_database_only(renamed: Account) -> None:
    assert labels(databases=()) == []


def test_a_site_without_renamed_models_gets_no_warning() -> None:
    Account.objects.create(email="a@customers.example")
    assert labels() == []


def test_a_renamed_model_keeps_its_keys_once_it_is_relabelled(renamed: Account, capsys: Any) -> None:
    for count in (1, 0):
        call_command("partnerstack_relabel", "shop.Former", "shop.Account")
        assert (
            f"{count} customers of shop.Former are customers of shop.Account now." in capsys.readouterr().out
        )
    assert track.customer_key(renamed) == "shop-former-1"
    assert labels() == []
    assert {each.customer_source for each in OutboxMessage.objects.all()} == {"shop.account"}


def test_an_object_that_could_not_be_reported_is_of_the_new_model_too(renamed: Account) -> None:
    now = timezone.now()
    SourceFailure.objects.create(
        mode="test",
        source="shop.former",
        table="shop_former",
        source_pk="7",
        error="The source failed.",
        first_failed_at=now,
        last_failed_at=now,
    )
    call_command("partnerstack_relabel", "shop.Former", "shop.Account")
    failure = SourceFailure.objects.get()
    assert (failure.source, failure.table) == ("shop.account", "shop_account")


def test_a_label_of_no_model_is_refused(renamed: Account) -> None:
    with pytest.raises(CommandError, match=r"'shop.Nothing' is not the label of a model"):
        call_command("partnerstack_relabel", "shop.Former", "shop.Nothing")


def test_customers_that_were_reported_under_both_labels_are_not_joined(renamed: Account) -> None:
    track.event(renamed, "demo")
    with pytest.raises(CommandError, match=r"cannot be joined. Nothing was changed"):
        call_command("partnerstack_relabel", "shop.Former", "shop.Account")
    assert CustomerIdentity.objects.filter(model="shop.former").count() == 1
