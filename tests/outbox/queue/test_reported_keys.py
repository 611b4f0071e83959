"""What is remembered of a message under its key."""

from __future__ import annotations

import pytest

from django_partnerstack.models import ReportedKey
from django_partnerstack.outbox.queue.reported_keys import key_columns


def test_what_a_row_does_not_have_is_empty_and_never_null() -> None:
    columns = key_columns({"mode": "test", "dedupe_key": "refunds:re_1", "payload": {}})
    assert columns.pop("mode") == "test"
    assert columns.pop("dedupe_key") == "refunds:re_1"
    assert {name for name, value in columns.items() if value is None} == {"amount", "reported_at", "conflict"}
    assert {value for value in columns.values() if value is not None} == {""}
    assert all(ReportedKey._meta.get_field(name) for name in columns)


@pytest.mark.parametrize("operation", ["transactions.create", "transactions.delete", "actions.create"])
def test_only_of_a_payment_its_money_and_its_customer_are_remembered(operation: str) -> None:
    payload = {"customer_external_key": "shop-1", "amount": 4900, "currency": "USD"}
    source = {"source": "shop.payment", "source_pk": "7", "namespace": "tenant", "fingerprint": "f" * 64}
    row = {"mode": "test", "dedupe_key": "d", "operation": operation, "payload": payload, **source}
    columns = key_columns(row)
    is_payment = operation == "transactions.create"
    money = tuple(columns[name] for name in ("customer_key", "amount", "currency"))
    assert money == (("shop-1", 4900, "USD") if is_payment else ("", None, ""))
    assert {name: columns[name] for name in source} == source
