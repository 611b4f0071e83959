from __future__ import annotations

import pytest

from django_partnerstack import track
from django_partnerstack.insight import find
from django_partnerstack.models import Customer
from tests.shop.models import Account

from .conftest import sign_up

pytestmark = pytest.mark.django_db


def test_a_customer_is_found_by_key_primary_key_or_e_mail_address() -> None:
    account = sign_up(email="Ada@example.com")
    key = f"shop-account-{account.pk}"
    Customer.objects.create(mode="test", key="cust_1", customer_key=key)
    for text in (key, str(account.pk), "ada@example.com", "cust_1"):
        assert find(text, mode="test") == [key]


def test_an_object_that_was_never_reported_is_found() -> None:
    Account.objects.bulk_create([Account(email="ada@example.com")])
    assert find("ada@example.com", mode="test") == [f"shop-account-{Account.objects.get().pk}"]


def test_customers_with_the_same_address_are_all_found() -> None:
    first, second = sign_up(), sign_up()
    assert find("ada@example.com", mode="test") == [f"shop-account-{first.pk}", f"shop-account-{second.pk}"]


def test_a_customer_of_a_model_without_a_source_is_found(django_user_model: type, rf: object) -> None:
    user = django_user_model.objects.create_user("ada", pk=771)
    track.signup(user, email="ada@example.com", request=rf.get("/"))
    assert find("771", mode="test") == ["auth-user-771"]


def test_a_customer_that_partnerstack_does_not_have_is_found_by_its_address(django_user_model: type) -> None:
    user = django_user_model.objects.create_user("ada", pk=771)
    track.signup(user, email="Ada@example.com")
    assert find("ada@example.com", mode="test") == ["auth-user-771"]
    assert find("ada@example.com", mode="production") == []


@pytest.mark.parametrize("text", ["", "nobody", "nobody@example.com", "12345", "9" * 40])
def test_a_text_that_matches_nothing_finds_no_customer(text: str) -> None:
    sign_up()
    assert find(text, mode="test") == []


def test_customers_of_the_other_mode_are_not_found() -> None:
    Customer.objects.create(mode="production", key="cust_1", customer_key="shop-account-x")
    assert find("shop-account-x", mode="test") == []
