"""Documented: the envelopes of docs.partnerstack.com/docs/partner-api, and the rate limit."""

import json
from email.utils import parsedate_to_datetime

from ..api_client import ApiClient


def test_an_object_comes_with_a_message_and_an_integer_status(api):
    answer = api("GET", "/partnerships/gstest")
    assert set(answer) == {"data", "message", "status"}
    assert answer["status"] == 200


def test_an_archived_object_is_not_returned(api):
    api.customer()
    assert set(api("DELETE", "/customers/c-1")) == {"message", "status"}


def test_an_error_has_a_message_and_a_status_only(api):
    assert api.refused("GET", "/customers/nobody")[0] == 404


def test_creating_answers_200_and_not_201(api):
    api.customer()
    assert api.status == 200


def test_creating_can_answer_201(sandbox, api):
    sandbox.behaviour.create_status = "201"
    api.customer()
    assert api.status == 201


def test_the_status_in_the_body_can_be_a_string(sandbox, api):
    sandbox.behaviour.status_type = "str"
    assert api("GET", "/partnerships/gstest")["status"] == "200"


def test_a_body_that_is_not_json_is_refused(sandbox, api):
    reply = sandbox.handle("POST", "/api/v2/customers", api.headers, b'{"email": ')
    assert reply.status == 400


def test_a_body_that_is_not_an_object_is_refused(api):
    assert api.refused("POST", "/customers", []) == (400, "[] is not of type 'object'")


def test_an_unknown_path_is_404_and_a_wrong_method_405(api):
    assert api.refused("GET", "/clicks")[0] == 404
    assert api.refused("PATCH", "/transactions")[0] == 405


def test_a_key_in_a_path_may_contain_a_slash_and_a_space(api):
    api.customer("a/b c", email="a@site.example")
    assert api.get("/customers/a%2Fb%20c")["customer_key"] == "a/b c"


def test_the_rate_limit_is_off_by_default(api):
    assert {api("GET", "/groups")["status"] for _ in range(50)} == {200}


def test_above_the_rate_limit_the_answer_is_429_until_the_minute_is_over(sandbox, api, clock):
    sandbox.behaviour.requests_per_minute = 2
    assert [api("GET", "/groups")["status"] for _ in range(3)] == [200, 200, 429]
    clock.now += int(api.reply.headers["Retry-After"])
    assert api("GET", "/groups")["status"] == 200


def test_retry_after_can_be_a_date_or_missing(sandbox, api, clock):
    sandbox.behaviour.change(requests_per_minute=1, retry_after="date")
    api("GET", "/groups")
    api("GET", "/groups")
    assert clock.now < parsedate_to_datetime(api.reply.headers["Retry-After"]).timestamp() <= clock.now + 60
    sandbox.behaviour.retry_after = "off"
    api("GET", "/groups")
    assert "Retry-After" not in api.reply.headers


def test_both_key_pairs_share_the_rate_limit(sandbox):
    sandbox.behaviour.requests_per_minute = 1
    assert ApiClient(sandbox)("GET", "/groups")["status"] == 200
    assert ApiClient(sandbox, "production")("GET", "/groups")["status"] == 429


def test_responses_are_json(api):
    api("GET", "/groups")
    assert api.reply.headers["Content-Type"] == "application/json"
    json.loads(api.reply.body)


def test_a_resource_without_permission_is_403_and_nothing_happens(sandbox, api):
    sandbox.behaviour.forbidden = ("deals", "links", "customers")
    refused = [
        ("GET", "/deals"),
        ("GET", "/links/partnership/gstest"),
        ("POST", "/customers", {"email": "a@site.example"}),
    ]
    assert {api.refused(*request)[0] for request in refused} == {403}
    assert sandbox.objects("customers", "test") == []
    assert api("GET", "/partnerships")["status"] == 200


def test_every_response_has_the_date_of_partnerstacks_clock(sandbox, api, clock):
    sandbox.behaviour.clock_offset = -400
    created = api.customer()
    assert created["created_at"] == int((clock.now - 400) * 1000)
    assert parsedate_to_datetime(api.reply.headers["Date"]).timestamp() == clock.now - 400
    sandbox.faults.add("status", status=503)
    api("GET", "/groups")
    assert parsedate_to_datetime(api.reply.headers["Date"]).timestamp() == clock.now - 400
