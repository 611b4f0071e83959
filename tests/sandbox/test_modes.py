"""Documented: the rules for test and production keys (docs.partnerstack.com/reference/auth)."""

import pytest

from django_partnerstack.sandbox import Sandbox

from .api_client import ApiClient


def live_customer(live_api):
    return live_api.customer("live", partner_key="sandboxpartner")


def test_the_test_partner_always_exists(clock):
    assert ApiClient(Sandbox(clock=clock)).get("/partnerships/gstest")["partner_key"] == "gstest"


def test_the_keys_used_decide_whether_a_customer_is_a_test(api, live_api):
    assert api.customer()["test"] is True
    assert live_customer(live_api)["test"] is False


def test_test_keys_can_create_another_test_partner(api):
    api.post("/partnerships", email="second@partner.example", partner_key="second")
    assert api.customer("c-1", partner_key="second")["test"] is True


@pytest.mark.parametrize("status", ["400", "403", "404", "409"])
def test_a_test_customer_under_a_live_partner_is_refused(sandbox, api, status):
    sandbox.behaviour.wrong_mode = status
    body = {"customer_key": "c-1", "email": "a@site.example", "partner_key": "sandboxpartner"}
    answered, message = api.refused("POST", "/customers", body)
    assert (answered, message) == (int(status), "Test customers must be created under a test partner")
    assert not sandbox.effects


def test_a_live_customer_under_the_test_partner_is_refused(sandbox, live_api):
    body = {"customer_key": "c-1", "email": "a@site.example", "partner_key": "gstest"}
    assert live_api.refused("POST", "/customers", body)[0] == 400


def test_a_test_transaction_for_a_live_customer_is_refused(sandbox, api, live_api):
    live_customer(live_api)
    body = {"customer_external_key": "live", "amount": 1, "currency": "USD", "key": "t-01"}
    assert api.refused("POST", "/transactions", body)[0] == 400
    assert live_api.refused("POST", "/transactions", body | {"test": True})[0] == 400
    assert sandbox.objects("transactions", "production") == sandbox.objects("transactions", "test") == []


def test_a_live_transaction_for_a_test_customer_is_refused(api, live_api):
    api.customer()
    body = {"customer_external_key": "c-1", "amount": 1, "currency": "USD", "key": "t-01"}
    assert live_api.refused("POST", "/transactions", body)[0] == 400


def test_test_transactions_create_no_rewards(api):
    api.customer()
    api.transaction()
    assert api.items("/rewards") == []


def test_production_transactions_create_a_reward(sandbox, live_api):
    customer = live_customer(live_api)
    live_api.transaction("t-01", customer_external_key="live", amount=5000)
    (reward,) = live_api.items("/rewards")
    assert reward["amount"] == 500
    assert reward["transaction"] == {"key": "t-01", "amount": 5000, "currency": "USD"}
    assert reward["customer"]["key"] == customer["key"]
    assert sandbox.effects["production", "rewards.create", reward["key"]] == 1


def test_a_negative_transaction_creates_no_reward(live_api):
    live_customer(live_api)
    live_api.transaction("t-01", customer_external_key="live", amount=-5000)
    assert live_api.items("/rewards") == []


def test_objects_of_the_other_mode_can_be_read_only_if_the_switch_is_on(sandbox, api, live_api):
    api.customer()
    assert live_api.refused("GET", "/customers/c-1")[0] == 404
    sandbox.behaviour.other_mode_readable = True
    assert live_api.get("/customers/c-1")["test"] is True
    assert live_api.items("/customers") == []


def test_the_same_key_may_be_used_once_in_each_mode(sandbox, api, live_api):
    api.customer("both")
    live_api.customer("both", partner_key="sandboxpartner")
    assert sandbox.effects["test", "customers.create", "both"] == 1
    assert sandbox.effects["production", "customers.create", "both"] == 1


def test_seeded_objects_belong_to_the_given_mode(clock):
    sandbox = Sandbox(customers=3, partnerships=2, mode="production", clock=clock)
    assert len(sandbox.objects("customers")) == 3
    assert sandbox.objects("customers", "test") == []
    assert [row["partner_key"] for row in sandbox.objects("partnerships", "test")] == ["gstest"]
