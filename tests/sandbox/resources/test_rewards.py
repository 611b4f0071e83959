"""Documented: the vendor's reward object, and creating a reward for a target."""

import pytest

VALID = {"amount": 500, "description": "Bonus", "target": {"type": "customer", "key": "c-1"}}


@pytest.fixture(autouse=True)
def customer(api):
    return api.customer()


def test_a_reward_for_a_customer_goes_to_its_partner(sandbox, api, customer):
    reward = api.post("/rewards", **VALID)
    assert reward["key"].startswith("rwrd_")
    assert (reward["amount"], reward["currency"], reward["reward_status"]) == (500, "USD", "pending")
    assert reward["customer"]["external_key"] == "c-1"
    assert reward["partnership"]["key"] == customer["partnership_key"]
    assert reward["transaction"] is reward["action"] is reward["invoice"] is None
    assert sandbox.effects["test", "rewards.create", reward["key"]] == 1


def test_a_reward_for_a_transaction_has_its_key(api):
    api.transaction()
    reward = api.post("/rewards", **VALID | {"target": {"type": "transaction", "key": "t-01"}})
    assert reward["transaction"]["key"] == "t-01"
    assert reward["source"] == {"type": "transaction", "key": "t-01"}
    assert (reward["amount"], reward["description"], reward["currency"]) == (500, "Bonus", "USD")


def test_a_posted_reward_has_no_offer(api):
    """An offer of the programme paid nothing: somebody posted it."""
    api.transaction()
    for target in ({"type": "transaction", "key": "t-01"}, {"type": "customer", "key": "c-1"}):
        assert api.post("/rewards", **VALID | {"target": target})["offer"] is None


def test_a_reward_of_a_transaction_can_name_it_in_its_source_alone(sandbox, live_api):
    live_api.customer(partner_key="sandboxpartner")
    live_api.transaction()
    sandbox.behaviour.reward_transaction = "source"
    (reward,) = live_api.items("/rewards")
    assert reward["transaction"] is None
    assert reward["source"] == {"type": "transaction", "key": "t-01"}
    assert reward["status"] == reward["reward_status"] == "pending"
    assert reward["offer"]["description"] == reward["description"]


def test_a_manual_reward_goes_to_a_partner_by_either_key(api):
    partnership = api.get("/partnerships/gstest")
    for key in ("gstest", partnership["key"]):
        reward = api.post("/rewards", **VALID | {"target": {"type": "manual", "key": key}})
        assert reward["partnership"]["key"] == partnership["key"]
        assert reward["source"] is None


def test_a_manual_reward_needs_a_partner(sandbox, api):
    target = {"type": "manual", "key": "nobody"}
    assert api.refused("POST", "/rewards", VALID | {"target": target})[0] == 404
    sandbox.behaviour.unknown_reference = "400"
    assert api.refused("POST", "/rewards", VALID | {"target": target})[0] == 400
    assert api.items("/rewards") == []


def test_an_unknown_target_is_refused(api):
    target = {"type": "customer", "key": "nobody"}
    assert api.refused("POST", "/rewards", VALID | {"target": target})[0] == 404


def test_scheduled_rewards_are_listed_when_asked_for(sandbox, api, clock):
    later = int(clock.now * 1000) + 90 * 24 * 3_600_000
    reward = sandbox.create("rewards", reward_status="scheduled", created_at=later)
    assert api.keys("/rewards") == []
    assert api.keys("/rewards", status="scheduled") == [reward["key"]]
    assert reward["created_at"] > clock.now * 1000
    sandbox.behaviour.scheduled_rewards_listed = True
    assert api.keys("/rewards") == [reward["key"]]


def test_a_reward_can_be_neither_read_nor_removed(api):
    key = api.post("/rewards", **VALID)["key"]
    assert api.refused("GET", f"/rewards/{key}")[0] == 404
    assert api.refused("DELETE", f"/rewards/{key}")[0] == 404
