import pytest

from django_partnerstack.client import api as client_api
from django_partnerstack.client import validation
from django_partnerstack.client.api import UNSET
from django_partnerstack.exceptions import InvalidArgument, NotSent, RateLimited, ServerError, UnusableReply

from .conftest import API, envelope

CUSTOMER = {"customer_key": "acme", "email": "a@example.com", "partner_key": "john"}


def test_a_read_is_retried(client, api, time):
    api.get(f"{API}/customers/acme", status=503)
    api.get(f"{API}/customers/acme", json=envelope({"key": "cus_1"}))
    assert client.customers.get("acme").key == "cus_1"
    assert time.sleeps == [0.5]


def test_a_read_is_retried_after_an_error_page_of_a_proxy(client, api):
    api.get(f"{API}/customers/acme", body="<html>")
    api.get(f"{API}/customers/acme", json=envelope({"key": "cus_1"}))
    assert client.customers.get("acme").key == "cus_1"


def test_a_list_without_items_is_retried(client, api):
    api.get(f"{API}/groups", json=envelope({}))
    api.get(f"{API}/groups", json=envelope({"items": []}))
    assert client.groups.list().records == ()


def test_a_read_waits_until_the_date_in_retry_after(client, api, time):
    api.get(f"{API}/groups", status=429, headers={"Retry-After": "Tue, 14 Nov 2023 22:13:27 GMT"})
    api.get(f"{API}/groups", json=envelope({"items": []}))
    client.groups.list()
    assert time.sleeps == [7]


def test_a_retry_after_beyond_the_deadline_raises_at_once(client, api, time):
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
    assert caught.value.in_doubt == (status != 429)


def test_a_write_without_a_connection_was_not_sent(client, api):
    api.post(f"{API}/customers", body=ConnectionRefusedError("refused"))
    with pytest.raises(NotSent):
        client.customers.create(**CUSTOMER)


def test_the_public_key_in_a_path_is_not_shown(client, api):
    api.get(f"{API}/partnerships/pk_PublicCanary1234", status=302)
    with pytest.raises(UnusableReply) as caught:
        client.partnerships.get("pk_PublicCanary1234")
    assert "Canary" not in str(caught.value)
    assert caught.value.path == "/partnerships/***"


@pytest.mark.parametrize("body", [{"a": float("nan")}, {"a": object()}, {1: {2}}])
def test_a_body_that_is_not_json_is_refused(client, body):
    with pytest.raises(InvalidArgument, match="JSON"):
        client.request("POST", "/customers", json=body)


def test_a_filter_with_several_values_is_repeated():
    assert client_api.query({"customer_key": ["a", "b"]}) == [("customer_key", "a"), ("customer_key", "b")]


def test_a_filter_that_is_none_is_omitted():
    assert client_api.query({"group": "gold", "email": None}) == [("group", "gold")]


def test_an_omitted_field_is_not_sent_and_none_is_sent_as_null():
    checks = {"a": validation.or_null(validation.key), "b": validation.key}
    assert client_api.body(checks, {"a": None, "b": UNSET, "self": client_api}) == {"a": None}


def test_none_is_refused_for_a_field_that_cannot_be_null():
    with pytest.raises(InvalidArgument, match="b must be a string"):
        client_api.body({"b": validation.key}, {"b": None})


def test_an_update_without_fields_is_refused():
    with pytest.raises(InvalidArgument, match="at least one field"):
        client_api.changes({"a": validation.key}, {"a": UNSET})


@pytest.mark.parametrize("fields", [{"a": None, "b": None}, {"a": "1", "b": "2"}])
def test_none_and_several_of_exclusive_fields_are_refused(fields):
    with pytest.raises(InvalidArgument, match="exactly one of a, b"):
        client_api.exactly_one(**fields)
