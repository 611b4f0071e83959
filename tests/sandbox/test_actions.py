"""Fact held: docs.partnerstack.com/reference/post_actions."""

import pytest

VALID = {"type": "demo_booked", "value": 1, "target_type": "customer", "target_key": "c-1"}


@pytest.fixture(autouse=True)
def customer(ask):
    return ask.customer()


@pytest.mark.parametrize("name", list(VALID))
def test_four_fields_are_required(ask, name):
    body = {field: value for field, value in VALID.items() if field != name}
    assert ask.refused("POST", "/actions", body) == (400, f"'{name}' is a required property")


def test_customer_key_is_no_field_of_an_action(ask):
    body = {"customer_key": "c-1", "key": "a", "type": "demo_booked", "value": 1}
    assert ask.refused("POST", "/actions", body) == (400, "'target_type' is a required property")


def test_an_action_of_a_customer(sandbox, ask, customer):
    action = ask.post("/actions", **VALID, external_key="demo-1")
    assert action["key"].startswith("act_")
    assert action["customer"]["key"] == customer["key"]
    assert sandbox.effects["test", "actions.create", "demo-1"] == 1


def test_an_action_of_a_partnership_goes_by_partner_key(ask):
    partner = ask.get("/partnerships/gstest")
    action = ask.post("/actions", **VALID | {"target_type": "partnership", "target_key": "gstest"})
    assert action["partnership_key"] == partner["key"]
    assert action["customer"] is None


def test_a_value_is_at_least_one(ask):
    assert ask.refused("POST", "/actions", VALID | {"value": 0}) == (400, "0 is less than the minimum of 1")


def test_a_target_is_a_customer_or_a_partnership(ask):
    status, message = ask.refused("POST", "/actions", VALID | {"target_type": "deal"})
    assert (status, message) == (400, "'deal' is not one of ['customer', 'partnership']")


def test_an_action_for_somebody_unknown_is_refused_or_forgotten(sandbox, ask):
    body = VALID | {"target_key": "nobody"}
    assert ask.refused("POST", "/actions", body)[0] == 404
    sandbox.behaviour.unknown_action_target = "ignore"
    assert ask("POST", "/actions", body)["status"] == 200
    assert sandbox.objects("actions") == []


def test_an_external_key_may_be_used_again_unless_it_may_not(sandbox, ask):
    body = VALID | {"external_key": "demo-1"}
    assert [ask("POST", "/actions", body)["status"] for _ in range(2)] == [200, 200]
    sandbox.behaviour.unique_action_keys = True
    assert ask.refused("POST", "/actions", body)[0] == 409


def test_filters_and_total(ask):
    ask.post("/actions", **VALID)
    ask.post("/actions", **VALID | {"type": "signed_up"})
    assert ask.get("/actions")["total"] == 2
    assert [item["type"] for item in ask.items("/actions", action_type="signed_up")] == ["signed_up"]
    assert ask.items("/actions", partnership_key="part_none") == []


def test_archiving_an_action_archives_its_rewards(sandbox, ask):
    action = ask.post("/actions", **VALID)
    sandbox.create("rewards", action=action["key"], amount=100, reward_status="pending")
    ask("DELETE", f"/actions/{action['key']}")
    assert ask.items("/actions") == ask.items("/rewards") == []
