"""Facts held: the old API's envelope, paths and field names (docs.partnerstack.com/v1.0)."""

import pytest

from django_partnerstack.sandbox import PRODUCTION_KEYS, TEST_KEYS


def test_reading_a_partnership_by_its_key_as_the_authentication_page_shows(ask_v1):
    answer = ask_v1("GET", "/partnerships/gstest")
    assert set(answer) == {"rdata", "message", "status"}
    assert answer["rdata"]["partner_key"] == "gstest"
    assert answer["rdata"]["archived"] is False


def test_an_error_says_it_twice(ask_v1):
    answer = ask_v1("GET", "/partnerships/nobody")
    assert answer["status"] == 404
    assert answer["error"] == answer["message"]


def test_creating_a_partnership_takes_the_public_key_in_the_path(sandbox, ask_v1):
    body = {
        "email": "a@partner.example",
        "partner_key": "ada",
        "group": "Default",
        "metadata": {"region": "north"},
    }
    answer = ask_v1("POST", f"/partnerships/{TEST_KEYS[0]}", body)
    assert answer["rdata"]["group"]["name"] == "Default"
    assert ask_v1("GET", "/partnerships/ada")["rdata"] == answer["rdata"]
    assert sandbox.effects["test", "partnerships.create", "ada"] == 1


def test_the_public_key_of_another_pair_is_refused(ask_v1):
    body = {"email": "a@partner.example"}
    assert ask_v1("POST", f"/partnerships/{PRODUCTION_KEYS[0]}", body)["status"] == 403


def test_an_unknown_group_is_refused(ask_v1):
    body = {"email": "a@partner.example", "group": "Nobody's"}
    assert ask_v1("POST", f"/partnerships/{TEST_KEYS[0]}", body)["status"] == 404


@pytest.fixture
def customer(ask_v1):
    body = {"key": "c-1", "email": "a@site.example", "partner_key": "gstest", "name": "Ada"}
    return ask_v1("POST", "/customers", body)["rdata"]


def test_a_customers_key_is_the_callers_own(sandbox, ask_v1, customer):
    assert customer["key"] == "c-1"
    assert customer["test"] is True
    assert ask_v1("GET", "/customers/c-1")["rdata"] == customer
    assert sandbox.effects["test", "customers.create", "c-1"] == 1


def test_a_customer_is_changed_by_e_mail_and_can_get_another_key(ask_v1, customer):
    assert ask_v1("PATCH", "/customers/a%40site.example", {"key": "c-2"})["rdata"]["key"] == "c-2"
    assert ask_v1("GET", "/customers/c-2")["rdata"]["name"] == "Ada"


def test_a_customer_is_archived(ask, ask_v1, customer):
    assert set(ask_v1("DELETE", "/customers/c-1")) == {"message", "status"}
    assert ask.items("/customers") == []


def test_a_transaction_names_its_customer_in_the_path_by_any_key(ask, ask_v1, customer):
    names = ["c-1", ask.get("/customers/c-1")["key"], "a%40site.example"]
    for number, name in enumerate(names):
        body = {"amount": 100, "currency": "USD", "key": f"t-0{number}"}
        assert ask_v1("POST", f"/customers/{name}/transactions", body)["rdata"]["partner_key"] == "gstest"
    assert ask.keys("/transactions") == ["t-02", "t-01", "t-00"]


def test_a_transaction_of_nobody_is_refused(ask_v1):
    assert ask_v1("POST", "/customers/nobody/transactions", {"amount": 1, "currency": "USD"})["status"] == 404


def test_an_actions_value_is_one_by_default(ask_v1, customer):
    assert ask_v1("POST", "/actions", {"customer_key": "c-1", "type": "demo_booked"})["rdata"]["value"] == 1
    assert (
        ask_v1("POST", "/actions", {"partner_key": "gstest", "type": "met", "value": 2})["rdata"]["value"]
        == 2
    )
    assert ask_v1("POST", "/actions", {"partner_key": "gstest"})["message"] == "'type' is a required property"
