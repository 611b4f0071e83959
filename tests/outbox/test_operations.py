"""The table of operations."""

from __future__ import annotations

from typing import Any

import pytest

from django_partnerstack.models import Customer, OutboxMessage, Transaction
from django_partnerstack.outbox.operations import OPERATIONS, Operation, mirrored_in
from tests.outbox.site import Site, message

each_operation = pytest.mark.parametrize("operation", OPERATIONS.values(), ids=list(OPERATIONS))


@each_operation
def test_an_operation_in_doubt_is_repeated_looked_up_or_shown_to_an_operator(operation: Operation) -> None:
    assert operation.idempotent or operation.find or operation.find_candidates


@each_operation
def test_the_mirror_of_an_operation_has_a_column_for_its_key(operation: Operation) -> None:
    if operation.model is not None:
        assert operation.model._meta.get_field(operation.key_field)


def test_the_operations_about_a_mirror_include_data_that_are_not_sequenced() -> None:
    assert "customers.save" in mirrored_in(Customer)
    assert mirrored_in(Transaction) == ("transactions.create", "transactions.delete")


@pytest.mark.django_db
def test_a_message_of_an_unknown_operation_fails_alone(site: Site, paid: Any) -> None:
    first = OutboxMessage.objects.create(
        mode="test", lane="partnership:x", operation="rewards.steal", payload={}, queued_at=site.clock.at
    )
    site.push()
    first.refresh_from_db()
    assert (first.state, "KeyError" in first.reason) == ("dead", True)
    assert message("transactions.create").state == "delivered"
