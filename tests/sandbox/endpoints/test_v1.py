"""Documented: the old API's envelope, paths and field names (docs.partnerstack.com/v1.0)."""

import pytest

from django_partnerstack.sandbox import PRODUCTION_KEYS, TEST_KEYS


def test_reading_a_partnership_by_its_key_as_the_authentication_page_shows(v1_api):
    answer = v1_api("GET", "/partnerships/gstest")
    assert set(answer) == {"rdata", "message", "status"}
    assert answer["rdata"]["partner_key"] == "gstest"
    assert answer["rdata"]["archived"] is False


def test_ids_are_numbers_of_their_own(v1_api):
    found = [v1_api("GET", f"/partnerships/{key}")["rdata"] for key in ("gstest", "partner1")]
    ids = [partner["id"] for partner in found]
    assert all(type(number) is int for number in [*ids, found[0]["group"]["id"]])
    assert len({*ids}) == 2
    assert v1_api("GET", "/partnerships/gstest")["rdata"]["id"] == ids[0]


def test_an_error_has_its_message_in_two_fields(v1_api):
    answer = v1_api("GET", "/partnerships/nobody")
    assert answer["status"] == 404
    assert answer["error"] == answer["message"]


def test_creating_a_partnership_takes_the_public_key_in_the_path(sandbox, v1_api):
    sandbox.behaviour.custom_fields = ("region",)
    body = {
        "email": "a@partner.example",
        "partner_key": "ada",
        "group": "Default",
        "metadata": {"region": "north"},
    }
    answer = v1_api("POST", f"/partnerships/{TEST_KEYS[0]}", body)
    assert answer["rdata"]["group"]["name"] == "Default"
    assert v1_api("GET", "/partnerships/ada")["rdata"] == answer["rdata"]
    assert sandbox.effects["test", "partnerships.create", "ada"] == 1


def test_the_public_key_of_another_pair_is_refused(v1_api):
    body = {"email": "a@partner.example"}
    assert v1_api("POST", f"/partnerships/{PRODUCTION_KEYS[0]}", body)["status"] == 403


def test_an_unknown_group_is_refused(v1_api):
    body = {"email": "a@partner.example", "group": "Nobody's"}
    assert v1_api("POST", f"/partnerships/{TEST_KEYS[0]}", body)["status"] == 404


@pytest.fixture
def customer(v1_api):
    body = {"key": "c-1", "email": "a@site.example", "partner_key": "gstest", "name": "Ada"}
    return v1_api("POST", "/customers", body)["rdata"]


def test_the_key_of_a_customer_is_the_callers_own(sandbox, v1_api, customer):
    assert customer["key"] == "c-1"
    assert customer["test"] is True
    assert v1_api("GET", "/customers/c-1")["rdata"] == customer
    assert sandbox.effects["test", "customers.create", "c-1"] == 1


def test_a_customer_is_changed_by_e_mail_address_also_in_its_key(v1_api, customer):
    assert v1_api("PATCH", "/customers/a%40site.example", {"key": "c-2"})["rdata"]["key"] == "c-2"
    assert v1_api("GET", "/customers/c-2")["rdata"]["name"] == "Ada"


def test_a_customer_is_archived(api, v1_api, customer):
    assert set(v1_api("DELETE", "/customers/c-1")) == {"message", "status"}
    assert api.items("/customers") == []


def test_the_path_of_a_transaction_identifies_the_customer_by_any_key(api, v1_api, customer):
    names = ["c-1", api.get("/customers/c-1")["key"], "a%40site.example"]
    for number, name in enumerate(names):
        body = {"amount": 100, "currency": "USD", "key": f"t-0{number}"}
        assert v1_api("POST", f"/customers/{name}/transactions", body)["rdata"]["partner_key"] == "gstest"
    assert api.keys("/transactions") == ["t-02", "t-01", "t-00"]


def test_a_transaction_of_an_unknown_customer_is_refused(v1_api):
    assert v1_api("POST", "/customers/nobody/transactions", {"amount": 1, "currency": "USD"})["status"] == 404


def test_an_actions_value_is_one_by_default(v1_api, customer):
    assert v1_api("POST", "/actions", {"customer_key": "c-1", "type": "demo_booked"})["rdata"]["value"] == 1
    assert (
        v1_api("POST", "/actions", {"partner_key": "gstest", "type": "met", "value": 2})["rdata"]["value"]
        == 2
    )
    assert v1_api("POST", "/actions", {"partner_key": "gstest"})["message"] == "'type' is a required property"
