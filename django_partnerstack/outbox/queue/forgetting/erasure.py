"""What stays of a message once its customer is forgotten: what the books and later refunds need."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

from ....identity.tombstones import is_personal
from ....models import OutboxMessage
from ...operations import CREATE_CUSTOMER, OPERATIONS, SAVE_CUSTOMER, Operation
from ..new_message import CUSTOMER, customer_lane, fingerprint

#: The fields of any content with the key of the customer.
CUSTOMER_KEYS = ("customer_key", "customer_external_key", "target_key")


def operation_of(message: OutboxMessage) -> Operation | None:
    """The operation of a message; data that are not sequenced yet are treated as a creation."""
    name = CREATE_CUSTOMER if message.operation == SAVE_CUSTOMER else message.operation
    return OPERATIONS.get(name)


def erased(message: OutboxMessage, customer_key: str, *, keep_payments: bool = False) -> dict[str, Any]:
    """
    The columns of a message of a forgotten customer. Safe to repeat.

    ``customer_key``: the key under which the rest of the customer is stored. ``keep_payments``: keep the
    texts of payments. The content still suits a refund, and a message that is still to be sent.
    """
    operation = operation_of(message)
    payload = _content(message.payload, operation, customer_key, keep_payments=keep_payments)
    is_customer = operation is not None and operation.key_field == "customer_key"
    subject = message.subject
    if is_personal(subject) and not _is_payment(operation):
        subject = customer_key if is_customer else ""
    return {
        "dedupe_key": None if is_personal_key(message.dedupe_key) else message.dedupe_key,
        "lane": customer_lane(customer_key) if message.lane.startswith(CUSTOMER) else message.lane,
        "subject": subject,
        "payload": payload,
        "fingerprint": fingerprint(payload),
        "attributed_to": {
            name: value for name, value in message.attributed_to.items() if name == "partner_key"
        },
        "source_pk": "" if is_personal(message.source_pk) else message.source_pk,
        "customer_source_pk": "" if is_personal(message.customer_source_pk) else message.customer_source_pk,
        "note": "",
        "forgotten": True,
    }


def erased_attempt(attempt: Mapping[str, Any]) -> dict[str, Any]:
    """The columns of an attempt at a message of a forgotten customer, without PartnerStack's answer."""
    method, _, path = attempt["request_line"].partition(" ")
    has_address = is_personal(unquote(path))
    return {**attempt, "request_line": method if has_address else attempt["request_line"], "answer": ""}


def _content(
    payload: dict[str, Any], operation: Operation | None, customer_key: str, *, keep_payments: bool
) -> dict[str, Any]:
    if operation is not None and operation.is_anonymous:
        return payload
    names = set(operation.impersonal_fields) if operation is not None else set()
    if keep_payments and operation is not None:
        names |= set(operation.payment_texts)
    found = {name: value for name, value in payload.items() if name in names}
    for name, value in list(found.items()):
        if name in CUSTOMER_KEYS and is_personal(str(value)):
            found[name] = customer_key
        elif name == "external_key" and is_personal(str(value)):
            del found[name]
    return found


def is_personal_key(dedupe_key: str | None) -> bool:
    """Whether a key contains an address and must not be kept. The keys of payments are."""
    operation = OPERATIONS.get((dedupe_key or "").partition(":")[0])
    return is_personal(dedupe_key or "") and not _is_payment(operation)


def _is_payment(operation: Operation | None) -> bool:
    return operation is not None and operation.key_field == "key"
