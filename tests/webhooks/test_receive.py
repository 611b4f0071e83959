"""What the URL answers to a delivery, and what it stores."""

from __future__ import annotations

import asyncio
import json
import logging
from datetime import timedelta
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.db import connection, connections
from django.test import AsyncClient, override_settings
from django.test import Client as Browser
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from django_partnerstack.models import WebhookCounter, WebhookEvent, WebhookState
from tests.lengths import by_length

from .conftest import SAMPLES, SECRET, URL, post

pytestmark = pytest.mark.django_db

BODY = {"event": "customer.updated", "data": {"key": "cus_1", "updated_at": 1}, "test": False}


@pytest.mark.parametrize("name", SAMPLES)
def test_every_sample_is_stored_as_one_event(name: str) -> None:
    response = post(SAMPLES[name]["body"], **SAMPLES[name]["headers"])
    assert response.status_code == 200
    assert WebhookEvent.objects.get().body == SAMPLES[name]["body"]


def test_a_delivery_costs_one_query(django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(1) as queries:
        assert post(BODY).status_code == 200
    assert queries.captured_queries[0]["sql"].startswith("INSERT")
    with django_assert_num_queries(1):
        assert post(BODY).status_code == 200


def test_the_response_to_a_wrong_secret_costs_no_query_and_leaves_no_trace(
    django_assert_num_queries: Any, caplog: Any
) -> None:
    with django_assert_num_queries(0), caplog.at_level(logging.DEBUG):
        response = post(BODY, URL.replace("canary", "guess0"))
    assert (response.status_code, response.content) == (404, b"")
    assert not caplog.text


@pytest.mark.parametrize("secrets", [[], [""], None, SECRET + "x", ["x", 5]])
def test_without_a_matching_secret_there_is_no_page(secrets: Any) -> None:
    with override_settings(PARTNERSTACK_WEBHOOK_SECRETS=secrets):
        assert post(BODY).status_code == 404


def test_a_string_instead_of_a_list_is_one_secret() -> None:
    with override_settings(PARTNERSTACK_WEBHOOK_SECRETS=SECRET):
        assert post(BODY, f"/partnerstack/webhooks/{SECRET[0]}/").status_code == 404
        assert post(BODY).status_code == 200


def test_during_a_rotation_both_secrets_work() -> None:
    with override_settings(PARTNERSTACK_WEBHOOK_SECRETS=["the-new-one", SECRET]):
        assert post(BODY).status_code == 200
        assert post(BODY, "/partnerstack/webhooks/the-new-one/").status_code == 200


@pytest.mark.parametrize("method", ["get", "head", "put", "patch", "delete", "options"])
def test_other_methods_are_refused(method: str) -> None:
    response = getattr(Browser(), method)(URL)
    assert (response.status_code, response["Allow"]) == (405, "POST")


def test_a_url_without_its_slash_works_too() -> None:
    assert post(BODY, URL.rstrip("/")).status_code == 200


def test_a_body_of_256_kib_is_stored_and_a_longer_one_is_refused_and_counted() -> None:
    body = b'{"event": "test", "x": "' + b"x" * (256 * 1024 - 26) + b'"}'
    assert len(body) == 256 * 1024
    assert post(body).status_code == 200
    assert post(body + b" ").status_code == 413
    assert WebhookEvent.objects.count() == 1
    assert WebhookCounter.objects.get().reason == "too large"


@override_settings(DATA_UPLOAD_MAX_MEMORY_SIZE=1000)
def test_the_limit_does_not_depend_on_the_sites_own() -> None:
    assert post({"event": "test", "x": "x" * 2000}).status_code == 200


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"event=customer.created",
        b"\xff\xfe\xff",
        b"5",
        b"null",
        b'"text"',
        b"[]",
        b"[5]",
        b"[[{}]]",
        b'{"x": NaN}',
        b"[" * 100_000,
        b'{"a":' * 1000 + b"1" + b"}" * 1000,
        b'{"x": ' + b"1" * 5000 + b"}",
        json.dumps([{"n": number} for number in range(101)]).encode(),
    ],
    ids=range(15),
)
def test_what_cannot_be_a_delivery_is_refused_and_counted_and_not_stored(body: bytes) -> None:
    assert [post(body).status_code for _ in range(2)] == [400, 400]
    assert not WebhookEvent.objects.exists()
    counter = WebhookCounter.objects.get()
    assert (counter.reason, counter.count) == ("malformed", 2)


def test_each_delivery_of_a_list_is_an_event() -> None:
    assert post([{"event": "deal.created", "data": {"key": f"deal_{number}"}} for number in range(3)])
    assert sorted(WebhookEvent.objects.values_list("key", flat=True)) == ["deal_0", "deal_1", "deal_2"]


def test_each_object_of_an_envelope_is_an_event() -> None:
    assert post({"event": "deal.created", "data": [{"key": "deal_0"}, {"key": "deal_1"}]})
    assert sorted(WebhookEvent.objects.values_list("key", flat=True)) == ["deal_0", "deal_1"]


@pytest.mark.parametrize("text", ["\x00", "\ud800", "\U0001f600", "ß" * 300, "'\"\\%s%%(x)s"])
def test_characters_that_databases_refuse_are_stored(text: str) -> None:
    body = {"event": f"customer.{text}", "data": {"key": text, text: text}}
    assert post(body).status_code == 200
    assert WebhookEvent.objects.get().body == body


def test_doubles_within_ten_minutes_are_counted_on_one_row(clock: Any) -> None:
    for _ in range(3):
        post(BODY)
        clock.move(minutes=4)
    event = WebhookEvent.objects.get()
    assert event.times_received == 3
    assert event.last_received_at - event.first_received_at == timedelta(minutes=8)


def test_the_order_of_the_fields_does_not_matter() -> None:
    post(b'{"event": "customer.created", "data": {"key": "cus_1", "name": "A"}}')
    post(b'{"data": {"name": "A", "key": "cus_1"}, "event": "customer.created"}')
    assert WebhookEvent.objects.get().times_received == 2


def test_after_ten_minutes_the_same_body_is_a_new_event(clock: Any) -> None:
    post(BODY)
    clock.move(minutes=10, seconds=1)
    post(BODY)
    assert list(WebhookEvent.objects.values_list("times_received", flat=True)) == [1, 1]


def test_a_double_of_a_processed_event_is_processed_again_unless_it_says_when_it_happened() -> None:
    for body in (BODY, SAMPLES["v1.partnership_created"]["body"]):
        post(body)
        WebhookEvent.objects.update(state=WebhookState.DONE, due_at=None)
        post(body)
        event = WebhookEvent.objects.first()
        assert event is not None
        is_due = event.state == WebhookState.RECEIVED and event.due_at is not None
        assert is_due == ("updated_at" not in json.dumps(body))


def test_a_double_of_a_failed_event_is_processed_again() -> None:
    post(BODY)
    WebhookEvent.objects.update(state=WebhookState.FAILED, attempts=15, due_at=None)
    post(BODY)
    event = WebhookEvent.objects.get()
    assert (event.state, event.attempts) == ("received", 0)


def test_a_test_object_is_ignored_in_production() -> None:
    with override_settings(PARTNERSTACK_MODE="production"):
        post({**BODY, "test": True})
        post({**BODY, "test": "false"})
    found = WebhookEvent.objects.values_list("mode", "state").order_by("pk")
    assert list(found) == [("test", "ignored"), ("production", "received")]


def test_a_secret_in_a_body_is_not_stored() -> None:
    post({"event": "webhook.created", "data": {"key": SECRET, "target_url": f"https://a.example{URL}"}})
    event = WebhookEvent.objects.get()
    assert SECRET not in f"{event.body} {event.key}"


def test_the_database_is_down(caplog: Any) -> None:
    def refuse(*args: Any) -> None:
        from django.db import OperationalError

        raise OperationalError("the connection was refused")

    with connection.execute_wrapper(refuse), caplog.at_level(logging.DEBUG):
        assert post(BODY).status_code == 503
        assert post(b"{").status_code == 503
    assert "the connection was refused" in caplog.text
    assert SECRET not in caplog.text


def test_no_response_is_logged_with_its_path(caplog: Any) -> None:
    with caplog.at_level(logging.DEBUG):
        responses = [post(b"{"), post(b"x" * 300_000), Browser().get(URL)]
    assert [response.status_code for response in responses] == [400, 413, 405]
    assert SECRET not in caplog.text


@override_settings(
    MIDDLEWARE=[
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.middleware.csrf.CsrfViewMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
        "django.contrib.auth.middleware.LoginRequiredMiddleware",
    ]
)
def test_djangos_login_wall_and_csrf_protection_let_deliveries_pass() -> None:
    assert post(BODY).status_code == 200


@pytest.mark.django_db(transaction=True)
def test_atomic_requests_do_not_change_the_response(monkeypatch: Any) -> None:
    monkeypatch.setitem(connection.settings_dict, "ATOMIC_REQUESTS", True)
    assert post(BODY).status_code == 200
    assert WebhookEvent.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_an_async_stack_receives_deliveries() -> None:
    async def deliver() -> int:
        content = json.dumps(BODY).encode()
        response = await AsyncClient().post(URL, content, content_type="application/json")
        await sync_to_async(connections.close_all)()
        return response.status_code

    assert asyncio.run(deliver()) == 200
    assert WebhookEvent.objects.count() == 1


def no_query(*args: Any) -> None:
    raise AssertionError("A wrong secret causes no query.")


scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text()
names = (
    st.sampled_from(["event", "data", "key", "test", "partner_key", "email", "team", "updated_at"])
    | st.text()
)
objects = st.recursive(scalars, lambda inner: st.lists(inner) | st.dictionaries(names, inner), max_leaves=20)
events = st.sampled_from(
    [sample["body"]["event"] for sample in SAMPLES.values() if "event" in sample["body"]]
)
deliveries = st.builds(
    lambda event, data, rest: {"event": event, "data": data, **rest},
    events | scalars,
    objects,
    st.dictionaries(names, objects, max_size=3),
)
bodies = st.binary(max_size=200) | (objects | deliveries).map(lambda value: json.dumps(value).encode())


@settings(
    max_examples=by_length(quick=200, usual=1_000, long=100_000),
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    database=None,
)
@given(body=bodies)
def test_no_body_causes_an_error(body: bytes) -> None:
    with connection.execute_wrapper(no_query):
        assert post(body, URL.replace("canary", "guess0")).status_code == 404
    assert post(body).status_code in (200, 400)
