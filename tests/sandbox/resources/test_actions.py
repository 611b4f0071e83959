"""Fact held: docs.partnerstack.com/reference/post_actions."""

import pytest

VALID = {"type": "demo_booked", "value": 1, "target_type": "customer", "target_key": "c-1"}


@pytest.fixture(autouse=True)
def customer(api):
    return api.customer()


@pytest.mark.parametrize("name", list(VALID))
def test_four_fields_are_required(api, name):
    body = {field: value for field, value in VALID.items() if field != name}
    assert api.refused("POST", "/actions", body) == (400, f"'{name}' is a required property")


def test_customer_key_is_no_field_of_an_action(api):
    body = {"customer_key": "c-1", "key": "a", "type": "demo_booked", "value": 1}
    assert api.refused("POST", "/actions", body) == (400, "'target_type' is a required property")


def test_an_action_of_a_customer(sandbox, api, customer):
    action = api.post("/actions", **VALID, external_key="demo-1")
    assert action["key"].startswith("act_")
    assert action["customer"]["key"] == customer["key"]
    assert sandbox.effects["test", "actions.create", "demo-1"] == 1


def test_an_action_of_a_partnership_goes_by_partner_key(api):
    partner = api.get("/partnerships/gstest")
    action = api.post("/actions", **VALID | {"target_type": "partnership", "target_key": "gstest"})
    assert action["partnership_key"] == partner["key"]
    assert action["customer"] is None


def test_a_value_is_at_least_one(api):
    assert api.refused("POST", "/actions", VALID | {"value": 0}) == (400, "0 is less than the minimum of 1")


def test_a_target_is_a_customer_or_a_partnership(api):
    status, message = api.refused("POST", "/actions", VALID | {"target_type": "deal"})
    assert (status, message) == (400, "'deal' is not one of ['customer', 'partnership']")


def test_an_action_for_somebody_unknown_is_refused_or_forgotten(sandbox, api):
    body = VALID | {"target_key": "nobody"}
    assert api.refused("POST", "/actions", body)[0] == 404
    sandbox.behaviour.unknown_action_target = "ignore"
    assert api("POST", "/actions", body)["status"] == 200
    assert sandbox.objects("actions") == []


def test_an_external_key_may_be_used_again_unless_it_may_not(sandbox, api):
    body = VALID | {"external_key": "demo-1"}
    assert [api("POST", "/actions", body)["status"] for _ in range(2)] == [200, 200]
    sandbox.behaviour.unique_action_keys = True
    assert api.refused("POST", "/actions", body)[0] == 409


def test_filters_and_total(api):
    api.post("/actions", **VALID)
    api.post("/actions", **VALID | {"type": "signed_up"})
    assert api.get("/actions")["total"] == 2
    assert [item["type"] for item in api.items("/actions", action_type="signed_up")] == ["signed_up"]
    assert api.items("/actions", partnership_key="part_none") == []


def test_archiving_an_action_archives_its_rewards(sandbox, api):
    action = api.post("/actions", **VALID)
    sandbox.create("rewards", action=action["key"], amount=100, reward_status="pending")
    api("DELETE", f"/actions/{action['key']}")
    assert api.items("/actions") == api.items("/rewards") == []
