"""Facts held: the rules for test and production keys (docs.partnerstack.com/reference/auth)."""

import pytest

from django_partnerstack.sandbox import Sandbox

from .asking import Asking


def live_customer(ask_live):
    return ask_live.customer("live", partner_key="sandboxpartner")


def test_the_test_partner_is_there_from_the_start(clock):
    assert Asking(Sandbox(clock=clock)).get("/partnerships/gstest")["partner_key"] == "gstest"


def test_the_keys_used_decide_whether_a_customer_is_a_test(ask, ask_live):
    assert ask.customer()["test"] is True
    assert live_customer(ask_live)["test"] is False


def test_another_test_partner_can_be_made_with_test_keys(ask):
    ask.post("/partnerships", email="second@partner.example", partner_key="second")
    assert ask.customer("c-1", partner_key="second")["test"] is True


@pytest.mark.parametrize("status", ["400", "403", "404", "409"])
def test_a_test_customer_under_a_live_partner_is_refused(sandbox, ask, status):
    sandbox.behaviour.wrong_mode = status
    body = {"customer_key": "c-1", "email": "a@site.example", "partner_key": "sandboxpartner"}
    answered, message = ask.refused("POST", "/customers", body)
    assert (answered, message) == (int(status), "Test customers must be created under a test partner")
    assert not sandbox.effects


def test_a_live_customer_under_the_test_partner_is_refused(sandbox, ask_live):
    body = {"customer_key": "c-1", "email": "a@site.example", "partner_key": "gstest"}
    assert ask_live.refused("POST", "/customers", body)[0] == 400


def test_a_test_transaction_for_a_live_customer_is_refused(sandbox, ask, ask_live):
    live_customer(ask_live)
    body = {"customer_external_key": "live", "amount": 1, "currency": "USD", "key": "t-01"}
    assert ask.refused("POST", "/transactions", body)[0] == 400
    assert ask_live.refused("POST", "/transactions", body | {"test": True})[0] == 400
    assert sandbox.objects("transactions", "production") == sandbox.objects("transactions", "test") == []


def test_a_live_transaction_for_a_test_customer_is_refused(ask, ask_live):
    ask.customer()
    body = {"customer_external_key": "c-1", "amount": 1, "currency": "USD", "key": "t-01"}
    assert ask_live.refused("POST", "/transactions", body)[0] == 400


def test_test_transactions_make_no_rewards(ask):
    ask.customer()
    ask.transaction()
    assert ask.items("/rewards") == []


def test_production_transactions_make_a_reward(sandbox, ask_live):
    customer = live_customer(ask_live)
    ask_live.transaction("t-01", customer_external_key="live", amount=5000)
    (reward,) = ask_live.items("/rewards")
    assert reward["amount"] == 500
    assert reward["transaction"] == {"key": "t-01", "amount": 5000, "currency": "USD"}
    assert reward["customer"]["key"] == customer["key"]
    assert sandbox.effects["production", "rewards.create", reward["key"]] == 1


def test_a_refund_makes_no_reward(ask_live):
    live_customer(ask_live)
    ask_live.transaction("t-01", customer_external_key="live", amount=-5000)
    assert ask_live.items("/rewards") == []


def test_objects_of_the_other_mode_cannot_be_read_unless_they_can(sandbox, ask, ask_live):
    ask.customer()
    assert ask_live.refused("GET", "/customers/c-1")[0] == 404
    sandbox.behaviour.other_mode_readable = True
    assert ask_live.get("/customers/c-1")["test"] is True
    assert ask_live.items("/customers") == []


def test_the_same_key_may_be_used_once_in_each_mode(sandbox, ask, ask_live):
    ask.customer("both")
    ask_live.customer("both", partner_key="sandboxpartner")
    assert sandbox.effects["test", "customers.create", "both"] == 1
    assert sandbox.effects["production", "customers.create", "both"] == 1


def test_seeds_are_of_the_mode_asked_for(clock):
    sandbox = Sandbox(customers=3, partnerships=2, mode="production", clock=clock)
    assert len(sandbox.objects("customers")) == 3
    assert sandbox.objects("customers", "test") == []
    assert [row["partner_key"] for row in sandbox.objects("partnerships", "test")] == ["gstest"]
