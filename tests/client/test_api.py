import pytest

from django_partnerstack.exceptions import InvalidArgument, NotSent, RateLimited, ServerError, UnusableReply

from .conftest import API, envelope

CUSTOMER = {"customer_key": "acme", "email": "a@example.com", "partner_key": "john"}


def test_a_read_is_tried_again(client, api, time):
    api.get(f"{API}/customers/acme", status=503)
    api.get(f"{API}/customers/acme", json=envelope({"key": "cus_1"}))
    assert client.customers.get("acme").key == "cus_1"
    assert time.sleeps == [0.5]


def test_a_read_whose_answer_is_a_page_of_a_proxy_is_tried_again(client, api):
    api.get(f"{API}/customers/acme", body="<html>")
    api.get(f"{API}/customers/acme", json=envelope({"key": "cus_1"}))
    assert client.customers.get("acme").key == "cus_1"


def test_a_list_without_items_is_tried_again(client, api):
    api.get(f"{API}/groups", json=envelope({}))
    api.get(f"{API}/groups", json=envelope({"items": []}))
    assert client.groups.list().records == ()


def test_a_read_waits_as_long_as_partnerstack_asks(client, api, time):
    api.get(f"{API}/groups", status=429, headers={"Retry-After": "Tue, 14 Nov 2023 22:13:27 GMT"})
    api.get(f"{API}/groups", json=envelope({"items": []}))
    client.groups.list()
    assert time.sleeps == [7]


def test_a_wait_beyond_the_deadline_is_an_error_at_once(client, api, time):
    api.get(f"{API}/groups", status=429, headers={"Retry-After": "600"})
    with pytest.raises(RateLimited) as caught:
        client.groups.list()
    assert (caught.value.retry_after, time.sleeps) == (600, [])


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_write_is_sent_once(client, api, time, status):
    api.post(f"{API}/customers", status=status)
    with pytest.raises((RateLimited, ServerError)) as caught:
        client.customers.create(**CUSTOMER)
    assert (len(api.calls), time.sleeps) == (1, [])
    assert caught.value.ambiguous == (status != 429)


def test_no_connection_means_that_nothing_was_sent(client, api):
    api.post(f"{API}/customers", body=ConnectionRefusedError("refused"))
    with pytest.raises(NotSent):
        client.customers.create(**CUSTOMER)


def test_any_other_route_can_be_called(client, api):
    api.get(f"{API}/form-templates?target_type=lead", json=envelope([{"key": "mold_1"}]))
    assert client.request("get", "/form-templates", {"target_type": "lead"}) == [{"key": "mold_1"}]


def test_any_other_write_can_be_made(client, api):
    api.patch(f"{API}/partnerships/part_1/tags", json={"message": "ok", "status": 200})
    assert client.request("PATCH", "/partnerships/part_1/tags", json={"add": ["a"]}) is None
    assert api.calls[0].request.body == b'{"add": ["a"]}'


@pytest.mark.parametrize("body", [{"a": float("nan")}, {"a": object()}, {1: {2}}])
def test_what_is_not_json_is_not_sent(client, body):
    with pytest.raises(InvalidArgument, match="JSON"):
        client.request("POST", "/customers", json=body)


@pytest.mark.parametrize("method", ["TRACE", "", None, "GET /x"])
def test_a_method_that_the_api_does_not_have_is_refused(client, method):
    with pytest.raises(InvalidArgument, match="method"):
        client.request(method, "/customers")


def test_the_public_key_in_a_path_is_not_shown(client, api):
    api.get(f"{API}/partnerships/pk_PublicCanary1234", status=302)
    with pytest.raises(UnusableReply) as caught:
        client.partnerships.get("pk_PublicCanary1234")
    assert "Canary" not in str(caught.value)
    assert caught.value.path == "/partnerships/***"
