from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from django_partnerstack.models import Action, Attribution, Customer, OutboxMessage, Reward, Transaction

from ..conftest import attribution, list_url, queue, shown

pytestmark = pytest.mark.django_db

LISTS = [Transaction, Reward, Action, Attribution, OutboxMessage]


@pytest.fixture(autouse=True)
def programme() -> None:
    for name in ("ada", "eve"):
        Customer.objects.create(
            mode="test",
            key=f"cus_{name}",
            customer_key=f"shop-{name}",
            email=f"{name}@x.example",
            name=f"{name} L",
        )
        for model in (Transaction, Reward, Action):
            model.objects.create(mode="test", key=f"of-{name}", customer_key=f"cus_{name}")
        attribution(f"shop-{name}")
        queue(lane=f"customer:shop-{name}", subject=f"shop-{name}")


def names(found: list[str]) -> list[str]:
    return [each.split()[-1].split("-")[-1] for each in found]


@pytest.mark.parametrize("model", LISTS)
@pytest.mark.parametrize("text", ["ada@x.example", "ADA@X", "Ada L", "ada l", "shop-ada"])
def test_a_list_is_searched_by_the_customer(browser: Client, model: Any, text: str) -> None:
    assert names(shown(browser, list_url(model), q=text)) == ["ada"]


@pytest.mark.parametrize("model", [Transaction, Reward, Action])
@pytest.mark.parametrize("text", ["of-eve", "cus_eve"])
def test_a_list_is_searched_by_whole_keys(browser: Client, model: Any, text: str) -> None:
    assert names(shown(browser, list_url(model), q=text)) == ["eve"]


@pytest.mark.parametrize("model", LISTS)
def test_what_nobody_has_finds_nothing(browser: Client, model: Any) -> None:
    assert shown(browser, list_url(model), q="nobody@x.example") == []


def test_a_customer_of_the_other_mode_is_found_only_there(browser: Client) -> None:
    Customer.objects.create(mode="production", key="cus_p", customer_key="shop-p", email="bob@x.example")
    Transaction.objects.create(mode="production", key="of-p", customer_key="cus_p")
    assert shown(browser, list_url(Transaction), q="bob@x.example") == []
    for mode in ("production", "all"):
        assert shown(browser, list_url(Transaction), q="bob@x.example", mode=mode) == ["of-p"]
