"""Each attempt of a message is kept: what was sent, when, and what PartnerStack answered."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from django_partnerstack.models import Attempt, OutboxLane, OutboxMessage
from django_partnerstack.outbox.queue.claim import claim
from django_partnerstack.outbox.queue.retention import prune
from django_partnerstack.sandbox import TEST_KEYS
from django_partnerstack.sandbox.replies import json_reply
from tests.outbox.site import Site, message, messages, payment
from tests.shop.models import Payment

pytestmark = pytest.mark.django_db

LINE = "POST /api/v2/transactions"


def attempts(operation: str = "transactions.create", **filters: Any) -> list[Attempt]:
    """The oldest first."""
    return list(Attempt.objects.filter(message__operation=operation, **filters).order_by("pk"))


def told(operation: str = "transactions.create", **filters: Any) -> list[tuple[Any, ...]]:
    found = attempts(operation, **filters)
    return [(each.kind, each.number, each.status, each.outcome) for each in found]


def answer_with(site: Site, monkeypatch: pytest.MonkeyPatch, status: int, body: dict[str, Any]) -> None:
    """Let something between the site and PartnerStack answer."""
    monkeypatch.setattr(site.sandbox, "handle", lambda *args: json_reply(status, body, {}))


def test_a_delivery_is_recorded_with_its_request_and_answer(site: Site, paid: Payment) -> None:
    site.sandbox.faults.add("latency", seconds=2, times=1)
    begin = site.clock.now()
    site.push()
    [attempt] = attempts()
    assert (attempt.kind, attempt.number, attempt.outcome) == ("send", 1, "delivered")
    assert (attempt.request_line, attempt.status, attempt.error) == (LINE, 200, "")
    assert json.loads(attempt.answer)["data"]["key"] == f"payment-{paid.pk}"
    assert (attempt.mode, attempt.requests) == ("test", 1)
    assert begin <= attempt.started_at <= site.clock.now()
    assert attempt.duration is not None


def test_a_refusal_is_recorded_with_the_words_of_partnerstack(site: Site, paid: Payment) -> None:
    site.fail("status", status=400)
    site.push()
    [attempt] = attempts()
    assert (attempt.status, attempt.outcome) == (400, "failed")
    assert json.loads(attempt.answer)["message"] == "Fault on demand"


def test_each_retry_is_recorded_with_its_number(site: Site, paid: Payment) -> None:
    site.fail("status", status=429, retry_after=7)
    site.push_for(minutes=1)
    payment(paid.account)
    for _ in range(2):
        site.fail("status", status=425)
    site.push_for(minutes=5)
    first, second = messages("transactions.create")
    assert told(message=first) == [("send", 1, 429, "retry"), ("send", 1, 200, "delivered")]
    assert told(message=second) == [
        ("send", 1, 425, "retry"),
        ("send", 2, 425, "retry"),
        ("send", 3, 200, "delivered"),
    ]


def test_a_connection_that_fails_is_recorded_with_its_error(
    site: Site, paid: Payment, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*args: Any, **options: Any) -> Any:
        raise ConnectionRefusedError("connection refused")

    with monkeypatch.context() as down:
        down.setattr(site.adapter, "send", refuse)
        site.push()
    [attempt] = attempts()
    assert (attempt.request_line, attempt.status, attempt.outcome) == (LINE, None, "retry")
    assert attempt.error == "no connection (ConnectionRefusedError: connection refused)"


def test_a_lost_answer_and_the_look_ups_after_it_are_recorded(site: Site, paid: Payment) -> None:
    site.sandbox.behaviour.change(read_lag=60)
    site.fail("lost")
    site.push_for(minutes=5)
    first, *between, last = attempts()
    assert (first.kind, first.status, first.outcome) == ("send", None, "unconfirmed")
    assert first.error.startswith("no complete response (")
    assert {(each.kind, each.status, each.outcome) for each in between} == {("look_up", 200, "not_found")}
    assert (last.kind, last.request_line, last.outcome) == ("look_up", "GET /api/v2/transactions", "found")
    assert f"payment-{paid.pk}" in last.answer


def test_a_message_that_is_sent_again_has_a_row_for_each_step(site: Site, paid: Payment) -> None:
    site.fail("status", status=500)
    site.push_for(hours=1)
    *_, look_up, again = told()
    assert look_up == ("look_up", 2, 200, "not_found")
    assert again == ("send", 2, 200, "delivered")


def test_a_conflict_is_recorded_before_the_look_up_that_settles_it(site: Site, paid: Payment) -> None:
    """The database of the site was restored from a backup."""
    site.sandbox.behaviour.change(duplicates="409")
    site.push()
    restored = OutboxMessage.objects.filter(operation="transactions.create")
    restored.update(state="ready", attempts=0)
    OutboxLane.objects.update(due_at=site.clock.now())
    site.push()
    assert told()[1:] == [("send", 1, 409, "conflict"), ("look_up", 1, 200, "found")]


def test_an_object_that_differs_is_recorded_as_such(site: Site, paid: Payment) -> None:
    site.sandbox.behaviour.change(duplicates="409")
    customer_key = f"shop-account-{paid.account.pk}"
    site.worker.client.transactions.create(
        key=f"payment-{paid.pk}", customer_external_key=customer_key, amount=1, currency="USD"
    )
    site.push()
    assert [each.outcome for each in attempts()] == ["conflict", "differs"]


def test_the_pages_of_a_look_up_are_one_row(site: Site, paid: Payment) -> None:
    others = {"customer_external_key": f"shop-account-{paid.account.pk}", "amount": 1, "currency": "USD"}
    site.fail("lost")
    site.push()
    for number in range(300):
        site.worker.client.transactions.create(key=f"other-{number}", **others)
    site.push_for(hours=2)
    look_ups = [each for each in attempts() if each.kind == "look_up"]
    assert [each.outcome for each in look_ups] == ["found"]
    assert look_ups[0].requests == 2


def test_an_attempt_of_a_lost_worker_is_recorded_by_the_next(site: Site, paid: Payment) -> None:
    began = site.clock.now()
    claim(site.worker.throttle, site.worker.delivered, 1, lease=site.worker.lease)
    assert attempts() == []
    site.clock.advance(minutes=10)
    site.push_for(hours=1)
    lost, *_, delivered = attempts()
    assert (lost.outcome, lost.status, lost.duration, lost.number) == ("lost", None, None, 1)
    assert (lost.started_at, lost.answer) == (began, "")
    assert lost.error.startswith("The worker stopped, or lost the database, before its lease")
    assert delivered.outcome == "delivered"
    assert site.effects("transactions.create") == {f"payment-{paid.pk}": 1}


def test_an_answer_after_the_lease_is_recorded_and_changes_nothing(site: Site, paid: Payment) -> None:
    [claimed] = claim(site.worker.throttle, site.worker.delivered, 1, lease=site.worker.lease).claimed
    site.clock.advance(seconds=1)
    OutboxMessage.objects.filter(pk=claimed.message.pk).update(lease_token="another worker's")
    assert site.worker.attempts.run(claimed) == "lost"
    assert told() == [("send", 1, 200, "late")]
    assert message("transactions.create").state == "sending"


def test_a_message_that_was_released_before_it_was_sent_has_no_attempt(site: Site, paid: Payment) -> None:
    batch = claim(site.worker.throttle, site.worker.delivered, 3, lease=site.worker.lease).claimed
    site.worker.stop()
    assert [site.worker.attempts.run(each) for each in batch] == ["ready"]
    assert attempts() == []


def test_content_that_may_not_be_sent_fails_without_a_request(site: Site, paid: Payment) -> None:
    OutboxMessage.objects.filter(operation="transactions.create").update(fingerprint="another")
    site.push()
    [attempt] = attempts()
    assert (attempt.requests, attempt.request_line, attempt.status) == (0, "", None)
    assert attempt.error == "The content was changed after it was queued."
    assert attempt.outcome == "failed"


def test_no_attempt_contains_a_key_of_the_client(
    site: Site, paid: Payment, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A proxy that answers with the request that it got."""
    secret = TEST_KEYS[1]
    answer_with(site, monkeypatch, 400, {"message": f"{secret} is wrong", "more": (secret + "~") * 1000})
    site.push()
    [attempt] = attempts()
    assert "***" in attempt.answer
    assert not any(secret[:length] in attempt.answer for length in range(6, len(secret)))


def test_a_long_answer_is_cut(site: Site, paid: Payment, monkeypatch: pytest.MonkeyPatch) -> None:
    answer_with(site, monkeypatch, 400, {"message": "x" * 100_000})
    site.push()
    [attempt] = attempts()
    assert len(attempt.answer) == 4097
    assert attempt.answer.endswith("…")


def test_the_probe_of_the_keys_is_no_attempt_of_the_message(site: Site, paid: Payment) -> None:
    site.fail("status", status=403)
    site.push()
    assert told() == [("send", 1, 403, "failed")]
    assert site.sent[-1] == "GET /partnerships"


def test_attempts_are_pruned_with_their_message(site: Site, paid: Payment) -> None:
    site.push()
    assert prune("test", site.clock.now() + timedelta(days=1)) >= 1
    assert attempts() == []


def test_old_attempts_are_pruned_from_messages_that_are_kept(site: Site, paid: Payment) -> None:
    site.fail("status", status=400)
    site.push()
    assert prune("production", site.clock.now() + timedelta(days=1)) == 0
    assert len(attempts()) == 1
    prune("test", site.clock.now() + timedelta(days=1))
    assert attempts() == []
    assert message("transactions.create").state == "dead"
