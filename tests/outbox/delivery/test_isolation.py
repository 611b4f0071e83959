"""What the database refuses to store concerns only its own message."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import DataError, IntegrityError, OperationalError, connection

from django_partnerstack.models import Customer, OutboxMessage
from django_partnerstack.sandbox.replies import json_reply
from django_partnerstack.signals import customer_pushed, push_failed
from tests.outbox.site import Site, account, message, messages, payment, states

DEEP: Any = "x"
for _ in range(60):
    DEEP = [DEEP]


def rendered(params: Any) -> str:
    """With the JSON that psycopg wraps."""
    return str([getattr(each, "obj", each) for each in params or ()])


@contextmanager
def refusing(table: str, error: Exception, marker: str = "") -> Iterator[list[str]]:
    """The database refuses each write to a table whose parameters contain the marker."""
    refused: list[str] = []

    def execute(execute: Callable[..., Any], sql: str, params: Any, *rest: Any) -> Any:
        if table in sql and not sql.startswith("SELECT") and marker in rendered(params):
            refused.append(sql)
            raise error
        return execute(sql, params, *rest)

    with connection.execute_wrapper(execute):
        yield refused


@pytest.mark.django_db
@pytest.mark.parametrize(
    "error",
    [
        DataError("invalid byte sequence"),
        IntegrityError("CHECK constraint failed"),
        OperationalError(1366, "Incorrect string value"),
        ValueError("A string literal cannot contain NUL (0x00) characters."),
        RecursionError("maximum recursion depth exceeded"),
        OverflowError("Python int too large to convert to SQLite INTEGER"),
    ],
)
@pytest.mark.parametrize("table", ["partnerstack_customer", "partnerstack_attempt"])
def test_an_answer_that_the_database_refuses_is_dropped_and_the_message_is_delivered(
    site: Site, error: Exception, table: str
) -> None:
    received: list[Any] = []

    def receive(key: str, **kwargs: Any) -> None:
        received.append(key)

    customer_pushed.connect(receive)
    poison, healthy = account(email="poison@customers.example"), account()
    with refusing(table, error, marker="poison@customers.example"):
        site.push()
    customer_pushed.disconnect(receive)
    assert set(states().values()) == {"delivered"}
    stored = message("customers.create", subject=f"shop-account-{poison.pk}")
    assert stored.reason.startswith("The answer was dropped, because the database refused to store it: ")
    assert str(error.args[-1])[:20] in stored.reason
    assert (stored.attempt_set.get().answer, stored.lease_token) == ("", "")
    assert list(Customer.objects.values_list("customer_key", flat=True)) == [f"shop-account-{healthy.pk}"]
    assert len(received) == 2
    assert site.sent.count("POST /customers") == 2


@pytest.mark.django_db
def test_a_refusal_whose_words_cannot_be_stored_is_a_failure_with_a_reason(site: Site, paid: Any) -> None:
    site.fail("status", status=400)
    with refusing("partnerstack_outboxmessage", DataError("no such character"), marker="Fault on demand"):
        site.push()
    failed = message("transactions.create")
    assert failed.state == "dead"
    assert failed.reason.endswith("DataError: no such character")


@pytest.mark.django_db
@pytest.mark.parametrize("text", ["a\0b", "\ud800", "\udfff\0"])
def test_texts_that_a_database_cannot_store_are_cleaned(
    site: Site, paid: Any, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A broken status line, as a TLS port gives it to plain HTTP."""

    def break_connection(*args: Any, **kwargs: Any) -> Any:
        raise ConnectionError(text)

    monkeypatch.setattr(site.adapter, "send", break_connection)
    site.push()
    found = message("transactions.create")
    assert found.state in {"ready", "unknown"}
    assert "\N{REPLACEMENT CHARACTER}" in found.reason


@pytest.mark.django_db
def test_an_answer_that_is_nested_too_deep_is_no_obstacle(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """MariaDB stores JSON with up to 32 levels."""
    handle = site.sandbox.handle

    def deep(method: str, target: str, headers: Any, body: bytes = b"") -> Any:
        reply = handle(method, target, headers, body)
        if method == "POST" and b"poison@" in body:
            [customer] = [
                each for each in site.sandbox.objects("customers") if each["email"].startswith("poison")
            ]
            return json_reply(200, {"data": {**customer, "meta": DEEP}, "status": 200, "message": ""}, {})
        return reply

    monkeypatch.setattr(site.sandbox, "handle", deep)
    account(email="poison@customers.example")
    payment(account())
    site.push()
    assert set(states().values()) == {"delivered"}
    assert site.push() == {}


@pytest.mark.django_db
def test_a_message_that_cannot_be_sequenced_fails_alone(site: Site) -> None:
    shops = [account(email=f"{number}@customers.example") for number in range(5)]
    poison = messages("customers.save")[3]
    with refusing("partnerstack_outboxlane", DataError("a text \0 of its own"), marker=f"'{poison.lane}'"):
        site.push()
    failed = message("customers.save")
    assert (failed.pk, failed.state) == (poison.pk, "dead")
    assert (
        failed.reason == "It could not be sequenced: DataError: a text \N{REPLACEMENT CHARACTER} of its own"
    )
    assert [each.state for each in messages("customers.create")] == ["delivered"] * (len(shops) - 1)


@pytest.mark.django_db
def test_a_message_whose_content_cannot_be_read_fails_alone(site: Site) -> None:
    for number in range(4):
        account(email=f"{number}@customers.example")
    broken = messages("customers.save")[1]
    OutboxMessage.objects.filter(pk=broken.pk).update(payload=["no", "object"])
    site.push()
    broken.refresh_from_db()
    assert broken.state == "dead"
    assert broken.reason.startswith("It could not be sequenced: ")
    assert [each.state for each in messages("customers.create")] == ["delivered"] * 3


@pytest.mark.django_db(transaction=True)
def test_a_message_that_cannot_be_sequenced_is_signalled(site: Site) -> None:
    signalled: list[tuple[str, str]] = []

    def receive(key: str, state: str, **kwargs: Any) -> None:
        signalled.append((key, state))

    push_failed.connect(receive)
    shop = account()
    OutboxMessage.objects.update(payload=["no", "object"])
    site.push()
    push_failed.disconnect(receive)
    assert signalled == [(f"shop-account-{shop.pk}", "dead")]
