"""
Documented: docs.partnerstack.com/docs/step-3-tracking-conversions, and what vendors have seen of it.

200 without a body in any case, one conversion per key, readable after two to six minutes.
"""

import json

import pytest
import requests

from django_partnerstack.sandbox import (
    PRODUCTION_TRACKING_TOKEN,
    TEST_KEYS,
    TEST_TRACKING_TOKEN,
    Sandbox,
)
from django_partnerstack.testing import SandboxAdapter

from ..api_client import basic

TOKENS = {"test": TEST_TRACKING_TOKEN, "production": PRODUCTION_TRACKING_TOKEN}
TRANSACTION = {"customer_external_key": "c-1", "amount": 4900, "currency": "USD", "key": "t-01"}
ACTION = {"type": "demo", "value": 1, "target_type": "customer", "target_key": "c-1"}


def bearer(token):
    return {"Authorization": f"Bearer {token}"}


@pytest.fixture
def send(sandbox):
    """Posts a body; returns the reply."""

    def send(body, mode="test", headers=None):
        sent = body if isinstance(body, bytes) else json.dumps(body).encode()
        return sandbox.handle("POST", "/conversion/xid", headers or bearer(TOKENS[mode]), sent)

    return send


@pytest.fixture
def convert(sandbox, send):
    """Sends a valid conversion, by default of a new click; returns whether it created a customer."""

    def convert(customer_key="c-1", mode="test", partner_key="gstest", xid=None, **fields):
        body = {"xid": xid or sandbox.click(partner_key), "customer_key": customer_key, **fields}
        reply = send(body, mode)
        assert (reply.status, reply.body) == (200, b"")
        return sandbox.conversions[-1].created

    return convert


def test_the_customer_belongs_to_the_partner_whose_link_was_clicked(sandbox, api, convert):
    sandbox.create("partnerships", partner_key="ada")
    assert convert(partner_key="ada", email="a@site.example", name="Ada", provider_key="cus_stripe")
    customer = api.get("/customers/c-1")
    assert (customer["partner_key"], customer["source_type"]) == ("ada", "link")
    assert (customer["email"], customer["name"]) == ("a@site.example", "Ada")
    assert (customer["provider_key"], customer["test"]) == ("cus_stripe", True)
    assert customer["key"].startswith("cus_")


def test_a_conversion_is_one_effect_and_counts_in_the_stats_of_the_partner(sandbox, api, convert):
    convert()
    assert dict(sandbox.effects) == {("test", "conversions.create", "c-1"): 1}
    assert api.get("/partnerships/gstest")["stats"]["CUSTOMER_COUNT"] == 1


def test_a_click_and_a_customer_key_are_sufficient(api, convert):
    assert convert()
    assert api.get("/customers/c-1")["email"] is None


def test_pseudonyms_are_accepted_as_e_mail_and_name(convert):
    assert convert(email="9f86d081884c7d65", name="9f86d081884c7d65", ip_address=None, sub_ids=["x"])


def test_values_of_meta_are_in_mdata_and_fields(api, convert):
    convert(meta={"plan": "gold"})
    customer = api.get("/customers/c-1")
    assert (customer["meta"], customer["mdata"]) == ({}, {"plan": "gold"})
    assert "gold" in [field["value"] for field in customer["fields"]]


def test_the_customer_belongs_to_the_partner_also_if_its_key_changed_after_the_click(sandbox, api, convert):
    xid = sandbox.click("gstest")
    sandbox.change("partnerships", "gstest", partner_key="renamed")
    convert(xid=xid)
    assert api.get("/customers/c-1")["partner_key"] == "renamed"


def test_a_click_can_be_converted_for_several_customers(sandbox, convert):
    xid = sandbox.click("gstest")
    assert convert("c-1", xid=xid)
    assert convert("c-2", xid=xid)


def test_the_token_alone_decides_the_mode(api, live_api, convert):
    convert(mode="production", partner_key="sandboxpartner")
    assert live_api.get("/customers/c-1")["test"] is False
    assert api.refused("GET", "/customers/c-1")[0] == 404


@pytest.mark.parametrize(
    "headers",
    [
        {"X-Nobody": ""},
        basic(TEST_KEYS),
        bearer(TEST_KEYS[1]),
        bearer(""),
        {"Authorization": f"Basic {TEST_TRACKING_TOKEN}"},
        {"Authorization": TEST_TRACKING_TOKEN},
    ],
    ids=["none", "key pair", "secret key", "empty", "basic token", "no scheme"],
)
def test_without_a_tracking_token_the_answer_is_401(sandbox, send, headers):
    reply = send({"xid": sandbox.click("gstest"), "customer_key": "c-1"}, headers=headers)
    assert (reply.status, json.loads(reply.body)) == (401, {"message": "Unauthorized", "status": 401})
    assert not sandbox.conversions


@pytest.mark.parametrize("token", TOKENS.values())
def test_the_tracking_token_is_accepted_nowhere_else(sandbox, token):
    assert sandbox.handle("GET", "/api/v2/customers", bearer(token)).status == 401
    assert sandbox.handle("GET", "/v1/customers/c-1", bearer(token)).status == 401


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        {"xid": "x"},
        {"customer_key": "c-1"},
        {"xid": "x", "customer_key": ""},
        {"xid": "x", "customer_key": None},
        {"xid": 1, "customer_key": "c-1"},
        {"xid": "x", "customer_key": "k" * 256},
        {"xid": "x", "customer_key": "c-1", "email": 1},
        {"xid": "x", "customer_key": "c-1", "meta": []},
        {"xid": "x", "customer_key": "c-1", "sub_ids": "a"},
    ],
    ids=str,
)
def test_an_invalid_conversion_is_refused(sandbox, send, body):
    assert send(body).status == 400
    assert not sandbox.conversions


def test_a_built_in_field_in_meta_must_be_text(sandbox, send):
    body = {"xid": sandbox.click("gstest"), "customer_key": "c-1", "meta": {"email": []}}
    assert send(body).status == 400
    assert not sandbox.effects


def test_fields_that_are_not_documented_are_ignored_or_refused(sandbox, send, convert):
    assert convert(plan="gold", fields="x")
    sandbox.behaviour.unknown_fields = "reject"
    assert send({"xid": "x", "customer_key": "c-2", "plan": "gold"}).status == 400


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "PATCH", "DELETE"])
def test_other_methods_are_refused_with_the_allowed_method(sandbox, method):
    reply = sandbox.handle(method, "/conversion/xid", bearer(TEST_TRACKING_TOKEN))
    assert (reply.status, reply.headers["Allow"]) == (405, "POST")


class TestNoCustomerIsCreated:
    """The response is 200 nevertheless, as ``convert`` asserts each time."""

    def test_of_an_unknown_click(self, sandbox, convert):
        assert not convert(xid="AAAAAAAAAAAAAA")
        assert not sandbox.effects

    def test_of_a_click_id_in_another_case(self, sandbox, convert):
        assert not convert(xid=sandbox.click("gstest").swapcase())

    @pytest.mark.parametrize(("mode", "partner_key"), [("test", "sandboxpartner"), ("production", "gstest")])
    def test_of_a_click_of_the_other_mode(self, sandbox, convert, mode, partner_key):
        assert not convert(mode=mode, partner_key=partner_key)
        assert not sandbox.effects

    def test_for_an_archived_partner(self, sandbox, convert):
        xid = sandbox.click("gstest")
        sandbox.change("partnerships", "gstest", archived=True)
        assert not convert(xid=xid)

    def test_for_a_key_that_was_converted(self, sandbox, api, convert):
        convert(name="First")
        assert not convert(name="Second")
        assert api.get("/customers/c-1")["name"] == "First"
        assert sandbox.effects["test", "conversions.create", "c-1"] == 1

    @pytest.mark.parametrize("deletes", ["archive", "remove"])
    @pytest.mark.parametrize("reusable", [True, False])
    def test_for_a_key_that_was_converted_and_deleted(self, sandbox, api, convert, deletes, reusable):
        sandbox.behaviour.change(deletes=deletes, deleted_keys_reusable=reusable)
        convert()
        api("DELETE", "/customers/c-1")
        assert not convert()
        assert api.items("/customers") == []

    def test_for_a_key_that_was_converted_and_removed(self, sandbox, convert):
        convert()
        sandbox.remove("customers", "c-1")
        assert not convert()

    def test_for_a_key_that_the_api_has_used(self, api, convert):
        api.customer("c-1", name="First")
        assert not convert()
        assert len(api.items("/customers")) == 1

    def test_by_chance_for_the_same_share_each_time(self, sandbox, convert):
        sandbox.behaviour.phantom = 0.2
        first = [convert(f"c-{number}") for number in range(500)]
        assert 60 < first.count(False) < 140
        sandbox.reset()
        sandbox.behaviour.phantom = 0.2
        assert [convert(f"c-{number}") for number in range(500)] == first

    def test_by_chance_and_then_the_key_can_still_be_converted(self, sandbox, api, convert):
        sandbox.behaviour.phantom = 1
        assert not convert()
        sandbox.behaviour.phantom = 0.5
        assert any(convert() for _ in range(50))
        assert api.get("/customers/c-1")["customer_key"] == "c-1"


def test_a_key_is_used_once_in_each_mode(convert):
    assert convert("both")
    assert convert("both", mode="production", partner_key="sandboxpartner")


def test_every_attempt_is_recorded(sandbox, convert, clock):
    xid = sandbox.click("gstest")
    convert(xid=xid)
    clock.now += 60
    convert(xid=xid)
    first, second = sandbox.conversions
    assert (first.mode, first.xid, first.customer_key, first.created) == ("test", xid, "c-1", True)
    assert (second.sent_at - first.sent_at, second.created) == (60_000, False)


class TestLag:
    def test_a_customer_can_be_read_and_listed_only_after_it(self, sandbox, api, convert, clock):
        sandbox.behaviour.conversion_lag = 120
        convert()
        clock.now += 119
        assert api.refused("GET", "/customers/c-1")[0] == 404
        assert api.get("/customers", customer_key="c-1")["items"] == []
        assert api.get("/customers") == {"has_more": False, "items": [], "total": 0}
        clock.now += 1
        assert api.get("/customers/c-1")["created_at"] == int((clock.now - 120) * 1000)
        assert api.get("/customers")["total"] == 1

    def test_other_customers_are_listed_during_it(self, sandbox, api, convert):
        api.customer("c-0")
        sandbox.behaviour.conversion_lag = 120
        convert()
        assert [item["customer_key"] for item in api.items("/customers")] == ["c-0"]
        assert api.get("/customers")["total"] == 1

    def test_archived_customers_count_in_the_total_only_if_listed(self, sandbox, api, convert):
        api.customer("c-0")
        api("DELETE", "/customers/c-0")
        sandbox.behaviour.conversion_lag = 120
        convert()
        assert api.get("/customers")["total"] == 0
        sandbox.behaviour.archived_listed = True
        assert api.get("/customers")["total"] == 1

    def test_the_customer_cannot_be_changed_or_created_again_during_it(self, sandbox, api, convert):
        sandbox.behaviour.conversion_lag = 120
        convert()
        assert api.refused("PATCH", "/customers/c-1", {"name": "Ada"})[0] == 404
        body = {"customer_key": "c-1", "email": "a@site.example", "partner_key": "gstest"}
        assert api.refused("POST", "/customers", body)[0] == 409
        assert not convert()

    def test_switching_it_off_affects_later_conversions_only(self, sandbox, api, convert):
        sandbox.behaviour.conversion_lag = 120
        convert("late")
        sandbox.behaviour.conversion_lag = 0
        convert("at once")
        assert [item["customer_key"] for item in api.items("/customers")] == ["at once"]

    def test_the_read_lag_applies_to_conversions_too(self, sandbox, api, convert, clock):
        sandbox.behaviour.change(read_lag=300, conversion_lag=120)
        convert()
        clock.now += 299
        assert api.refused("GET", "/customers/c-1")[0] == 404
        clock.now += 1
        assert api.get("/customers/c-1")

    def test_a_range_gives_each_key_the_same_lag_each_time(self, clock):
        def seconds():
            sandbox = Sandbox(clock=clock)
            sandbox.behaviour.conversion_lag = (120, 360)
            for number in range(200):
                body = json.dumps({"xid": sandbox.click("gstest"), "customer_key": f"c-{number}"}).encode()
                sandbox.handle("POST", "/conversion/xid", bearer(TEST_TRACKING_TOKEN), body)
            rows = sandbox.databases["test"]["customers"].orders["created_at"]
            return [(row["visible_at"] - row["created_at"]) / 1000 for row in rows]

        drawn = seconds()
        assert 120 <= min(drawn) < 130 < 350 < max(drawn) <= 360
        assert seconds() == drawn

    @pytest.mark.parametrize("wrong", [-1, True, (1,), (2, 1), (0, "1"), "120", None])
    def test_a_wrong_lag_is_refused(self, sandbox, wrong):
        with pytest.raises(ValueError, match="conversion_lag must be a number from 0 up, or a minimum"):
            sandbox.behaviour.conversion_lag = wrong

    @pytest.mark.parametrize("wrong", [-0.1, 1.1, True, "0.2"])
    def test_a_wrong_rate_is_refused(self, sandbox, wrong):
        with pytest.raises(ValueError, match="phantom must be a number from 0 to 1"):
            sandbox.behaviour.phantom = wrong


class TestEarlyWrites:
    @pytest.fixture(autouse=True)
    def early(self, sandbox, convert):
        sandbox.behaviour.conversion_lag = 120
        convert()

    def test_are_refused_by_default(self, sandbox, api):
        reward = {"amount": 1, "description": "Bonus", "target": {"type": "customer", "key": "c-1"}}
        assert api.refused("POST", "/transactions", TRANSACTION)[0] == 404
        assert api.refused("POST", "/actions", ACTION)[0] == 404
        assert api.refused("POST", "/rewards", reward)[0] == 404
        assert sandbox.effects.total() == 1

    def test_are_accepted_after_the_lag(self, api, clock):
        clock.now += 120
        assert api.post("/transactions", **TRANSACTION)["customer"]["external_key"] == "c-1"
        assert api.post("/actions", **ACTION)["target_key"] == "c-1"

    def test_are_accepted_at_once_if_the_switch_is_on(self, sandbox, api):
        sandbox.behaviour.early_writes = "accepted"
        assert api.post("/transactions", **TRANSACTION)["customer"]["external_key"] == "c-1"
        assert api.post("/actions", **ACTION)["target_key"] == "c-1"
        assert api.refused("GET", "/customers/c-1")[0] == 404


class TestFaults:
    BODY = {"customer_key": "c-1", "email": "a@site.example"}

    @pytest.fixture
    def body(self, sandbox):
        return {**self.BODY, "xid": sandbox.click("gstest")}

    def test_a_lost_response_comes_after_the_conversion(self, sandbox, send, body):
        sandbox.faults.add("lost", path="/conversion/")
        assert send(body).fault.kind == "lost"
        assert sandbox.conversions[0].created

    def test_an_error_prevents_the_conversion(self, sandbox, send, body):
        sandbox.faults.add("status", status=429, retry_after=7, path="/conversion/")
        reply = send(body)
        assert (reply.status, reply.headers["Retry-After"]) == (429, "7")
        assert not sandbox.conversions

    def test_latency_delays_the_response(self, sandbox, send, body):
        sandbox.faults.add("latency", seconds=5, path="/conversion/")
        assert send(body).delay == 5

    def test_the_rate_limit_of_the_api_does_not_apply(self, sandbox, send):
        sandbox.behaviour.requests_per_minute = 1
        assert [send({"xid": "x", "customer_key": "c-1"}).status for _ in range(3)] == [200, 200, 200]

    def test_a_conversion_over_http(self, sandbox, body):
        with sandbox.serve() as server, requests.Session() as session:
            session.trust_env = False
            url, headers = f"{server.url}/conversion/xid", bearer(TEST_TRACKING_TOKEN)
            response = session.post(url, json=body, headers=headers, timeout=10)
            assert (response.status_code, response.content) == (200, b"")
            assert session.get(url, headers=headers, timeout=10).status_code == 405
        assert sandbox.conversions[0].created

    def test_a_conversion_through_the_adapter(self, sandbox, body):
        with requests.Session() as session:
            session.trust_env = False
            session.mount("https://partnerlinks.io/", SandboxAdapter(sandbox))
            headers = bearer(TEST_TRACKING_TOKEN)
            response = session.post("https://partnerlinks.io/conversion/xid", json=body, headers=headers)
        assert (response.status_code, response.content) == (200, b"")
        assert sandbox.conversions[0].created
