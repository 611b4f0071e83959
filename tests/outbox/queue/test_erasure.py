"""What stays of each message of a forgotten customer, whose key is an e-mail address."""

from __future__ import annotations

from typing import Any

import pytest

from django_partnerstack.models import OutboxMessage
from django_partnerstack.outbox.queue.forgetting.erasure import erased, erased_attempt

ADDRESS, KEY = "ada@customers.example", "forgotten-1"
TEXTS = {"email": ADDRESS, "name": "Ada", "meta": {"city": "London"}}
MONEY = {"customer_external_key": ADDRESS, "amount": 4900, "currency": "USD"}
KEPT_MONEY = {**MONEY, "customer_external_key": KEY}
AT_CUSTOMER = {"type": "demo", "value": 1, "target_type": "customer"}


def message(operation: str, subject: str, payload: dict[str, Any], **columns: Any) -> OutboxMessage:
    defaults = {"lane": f"customer:{ADDRESS}", "attributed_to": {"partner_key": "gstest", "xid": "click"}}
    return OutboxMessage(operation=operation, subject=subject, payload=payload, **{**defaults, **columns})


@pytest.mark.parametrize(
    ("operation", "subject", "payload", "kept_subject", "kept"),
    [
        *(
            (name, ADDRESS, {"customer_key": ADDRESS, **TEXTS, **more}, KEY, {"customer_key": KEY, **more})
            for name in ("customers.save", "customers.create", "customers.update", "conversions.create")
            for more in ({}, {"partner_key": "gstest"})
        ),
        (
            "transactions.create",
            "inv_1",
            {"key": "inv_1", **MONEY, "product_key": "pro", "metadata": {"note": "for Ada"}},
            "inv_1",
            {"key": "inv_1", **KEPT_MONEY, "product_key": "pro"},
        ),
        # A refund needs the key of a payment.
        ("transactions.create", "a@b-1", {"key": "a@b-1", **MONEY}, "a@b-1", {"key": "a@b-1", **KEPT_MONEY}),
        ("transactions.delete", "inv_1", {"key": "inv_1"}, "inv_1", {"key": "inv_1"}),
        (
            "actions.create",
            "demo-1",
            {**AT_CUSTOMER, "target_key": ADDRESS, "external_key": "demo-1"},
            "demo-1",
            {**AT_CUSTOMER, "target_key": KEY, "external_key": "demo-1"},
        ),
        (
            "actions.create",
            f"demo-{ADDRESS}",
            {**AT_CUSTOMER, "target_key": "shop-1", "external_key": f"demo-{ADDRESS}"},
            "",
            {**AT_CUSTOMER, "target_key": "shop-1"},
        ),
        ("a.removed.operation", ADDRESS, {"customer_key": ADDRESS, **TEXTS}, "", {}),
    ],
)
def test_a_message_keeps_what_the_books_and_refunds_need(
    operation: str, subject: str, payload: dict[str, Any], kept_subject: str, kept: dict[str, Any]
) -> None:
    columns = erased(message(operation, subject, payload), KEY)
    assert (columns["subject"], columns["payload"]) == (kept_subject, kept)
    assert (columns["lane"], columns["note"], columns["forgotten"]) == (f"customer:{KEY}", "", True)
    assert columns["attributed_to"] == {"partner_key": "gstest"}
    again = message(
        operation, kept_subject, kept, lane=columns["lane"], attributed_to=columns["attributed_to"]
    )
    assert erased(again, KEY) == columns


def test_the_texts_of_payments_stay_if_the_books_need_them() -> None:
    payload = {"key": "inv_1", **MONEY, "metadata": {"order": "7"}}
    kept = erased(message("transactions.create", "inv_1", payload), KEY, keep_payments=True)
    assert kept["payload"] == {"key": "inv_1", **KEPT_MONEY, "metadata": {"order": "7"}}
    saved = erased(
        message("customers.save", ADDRESS, {"customer_key": ADDRESS, **TEXTS}), KEY, keep_payments=True
    )
    assert saved["payload"] == {"customer_key": KEY}


def test_what_anonymises_the_customer_at_partnerstack_stays_as_it_is() -> None:
    payload = {"customer_key": ADDRESS, "email": "forgotten-1@forgotten.invalid"}
    assert erased(message("customers.anonymise", ADDRESS, payload), KEY)["payload"] == payload


@pytest.mark.parametrize(
    ("dedupe_key", "kept"),
    [
        (None, None),
        ("actions.create:demo-1", "actions.create:demo-1"),
        (f"actions.create:{ADDRESS}", None),
        ("transactions.create:a@b-1", "transactions.create:a@b-1"),
    ],
)
def test_a_key_with_an_address_stays_only_if_it_is_that_of_a_payment(
    dedupe_key: str | None, kept: str | None
) -> None:
    columns = erased(message("actions.create", "", {}, dedupe_key=dedupe_key), KEY)
    assert columns["dedupe_key"] == kept


def test_objects_of_the_site_whose_primary_key_is_an_address_are_not_named() -> None:
    of_person = erased(message("actions.create", "", {}, source_pk=ADDRESS, customer_source_pk=ADDRESS), KEY)
    assert (of_person["source_pk"], of_person["customer_source_pk"]) == ("", "")
    of_number = erased(message("actions.create", "", {}, source_pk="1", customer_source_pk="2"), KEY)
    assert (of_number["source_pk"], of_number["customer_source_pk"]) == ("1", "2")
    assert erased(message("actions.create", "", {}, lane="other"), KEY)["lane"] == "other"


@pytest.mark.parametrize(
    ("line", "kept"),
    [
        ("PATCH /api/v2/customers/ada%40customers.example", "PATCH"),
        ("PATCH /api/v2/customers/ada@customers.example", "PATCH"),
        ("POST /api/v2/transactions", "POST /api/v2/transactions"),
    ],
)
def test_an_attempt_keeps_its_address_at_partnerstack_unless_it_names_the_person(
    line: str, kept: str
) -> None:
    attempt = {"request_line": line, "answer": '{"email": "ada@customers.example"}', "status": 200}
    assert erased_attempt(attempt) == {"request_line": kept, "answer": "", "status": 200}
