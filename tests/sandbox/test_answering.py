"""Facts held: the envelopes of docs.partnerstack.com/docs/partner-api, and the rate limit."""

import json
from email.utils import parsedate_to_datetime

from .asking import Asking


def test_an_object_comes_with_a_message_and_an_integer_status(ask):
    answer = ask("GET", "/partnerships/gstest")
    assert set(answer) == {"data", "message", "status"}
    assert answer["status"] == 200


def test_an_archive_answers_without_data(ask):
    ask.customer()
    assert set(ask("DELETE", "/customers/c-1")) == {"message", "status"}


def test_an_error_has_a_message_and_a_status_only(ask):
    assert ask.refused("GET", "/customers/nobody")[0] == 404


def test_creating_answers_200_and_not_201(ask):
    ask.customer()
    assert ask.status == 200


def test_creating_can_answer_201(sandbox, ask):
    sandbox.behaviour.create_status = "201"
    ask.customer()
    assert ask.status == 201


def test_the_status_in_the_body_can_be_a_string(sandbox, ask):
    sandbox.behaviour.status_type = "str"
    assert ask("GET", "/partnerships/gstest")["status"] == "200"


def test_a_body_that_is_no_json_is_refused(sandbox, ask):
    reply = sandbox.handle("POST", "/api/v2/customers", ask.headers, b'{"email": ')
    assert reply.status == 400


def test_a_body_that_is_no_object_is_refused(ask):
    assert ask.refused("POST", "/customers", []) == (400, "[] is not of type 'object'")


def test_an_unknown_path_is_404_and_a_wrong_method_405(ask):
    assert ask.refused("GET", "/clicks")[0] == 404
    assert ask.refused("PATCH", "/transactions")[0] == 405


def test_a_key_in_a_path_may_hold_a_slash_and_a_space(ask):
    ask.customer("a/b c", email="a@site.example")
    assert ask.get("/customers/a%2Fb%20c")["customer_key"] == "a/b c"


def test_the_rate_limit_is_off_until_asked_for(ask):
    assert {ask("GET", "/groups")["status"] for _ in range(50)} == {200}


def test_above_the_rate_limit_the_answer_is_429_until_the_minute_is_over(sandbox, ask, clock):
    sandbox.behaviour.requests_per_minute = 2
    assert [ask("GET", "/groups")["status"] for _ in range(3)] == [200, 200, 429]
    clock.now += int(ask.reply.headers["Retry-After"])
    assert ask("GET", "/groups")["status"] == 200


def test_retry_after_can_be_a_date_or_missing(sandbox, ask, clock):
    sandbox.behaviour.change(requests_per_minute=1, retry_after="date")
    ask("GET", "/groups")
    ask("GET", "/groups")
    assert clock.now < parsedate_to_datetime(ask.reply.headers["Retry-After"]).timestamp() <= clock.now + 60
    sandbox.behaviour.retry_after = "off"
    ask("GET", "/groups")
    assert "Retry-After" not in ask.reply.headers


def test_one_limit_holds_for_both_key_pairs(sandbox):
    sandbox.behaviour.requests_per_minute = 1
    assert Asking(sandbox)("GET", "/groups")["status"] == 200
    assert Asking(sandbox, "production")("GET", "/groups")["status"] == 429


def test_answers_are_json(ask):
    ask("GET", "/groups")
    assert ask.reply.headers["Content-Type"] == "application/json"
    json.loads(ask.reply.body)
