"""Documented: docs.partnerstack.com/reference/post_actions."""

import pytest

VALID = {"type": "demo_booked", "value": 1, "target_type": "customer", "target_key": "c-1"}


@pytest.fixture(autouse=True)
def customer(api):
    return api.customer()


def test_customer_key_is_not_a_field_of_an_action(api):
    body = {"customer_key": "c-1", "key": "a", "type": "demo_booked", "value": 1}
    assert api.refused("POST", "/actions", body) == (400, "'target_type' is a required property")


def test_an_action_refers_to_its_customer(sandbox, api, customer):
    action = api.post("/actions", **VALID, external_key="demo-1")
    assert action["key"].startswith("act_")
    assert action["customer"]["key"] == customer["key"]
    assert sandbox.effects["test", "actions.create", "demo-1"] == 1


def test_an_action_refers_to_a_partnership_by_partner_key(api):
    partner = api.get("/partnerships/gstest")
    action = api.post("/actions", **VALID | {"target_type": "partnership", "target_key": "gstest"})
    assert action["partnership_key"] == partner["key"]
    assert action["customer"] is None


def test_an_action_of_an_unknown_customer_is_refused_or_discarded(sandbox, api):
    body = VALID | {"target_key": "nobody"}
    assert api.refused("POST", "/actions", body)[0] == 404
    sandbox.behaviour.unknown_action_target = "ignore"
    assert api("POST", "/actions", body)["status"] == 200
    assert sandbox.objects("actions") == []


def test_an_external_key_can_be_used_again_unless_the_switch_is_on(sandbox, api):
    body = VALID | {"external_key": "demo-1"}
    assert [api("POST", "/actions", body)["status"] for _ in range(2)] == [200, 200]
    sandbox.behaviour.unique_action_keys = True
    assert api.refused("POST", "/actions", body)[0] == 409


def test_a_list_of_actions_has_a_total(api):
    api.post("/actions", **VALID)
    api.post("/actions", **VALID | {"type": "signed_up"})
    assert api.get("/actions")["total"] == 2
    assert api.items("/actions", partnership_key="part_none") == []


def test_archiving_an_action_archives_its_rewards(sandbox, api):
    action = api.post("/actions", **VALID)
    sandbox.create("rewards", action=action["key"], amount=100, reward_status="pending")
    api("DELETE", f"/actions/{action['key']}")
    assert api.items("/actions") == api.items("/rewards") == []
