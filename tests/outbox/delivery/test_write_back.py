"""What an attempt writes to the database: message, mirror and mode evidence."""

from __future__ import annotations

from typing import Any

import pytest

from django_partnerstack import track
from django_partnerstack.models import Customer, SyncState, Transaction
from tests.outbox.site import Site, account, message, payment

pytestmark = pytest.mark.django_db


def test_the_record_in_the_response_is_stored_in_the_mirror(site: Site, paid: Any) -> None:
    site.push()
    customer, transaction = Customer.objects.get(), Transaction.objects.get()
    assert (customer.key or "").startswith("cus_")
    assert (customer.test, transaction.test) == (True, True)
    assert transaction.customer_key == customer.key
    assert transaction.key == f"payment-{paid.pk}"


def test_responses_of_the_other_mode_are_recorded_as_evidence(settings: Any) -> None:
    settings.PARTNERSTACK_MODE = "production"
    site = Site()
    site.worker = site.new_worker(mode="production")
    payment(account(partner_key="gstest"))
    site.push()
    assert SyncState.objects.mode_mismatch("production") == "test"


def test_a_worker_records_its_mode_evidence_once(site: Site, paid: Any) -> None:
    site.push()
    noted = dict(SyncState.objects.values_list("resource", "test_seen_at"))
    assert noted == {"customers": site.clock.at, "transactions": site.clock.at}
    payment(paid.account)
    site.clock.advance(minutes=1)
    site.push()
    assert dict(SyncState.objects.values_list("resource", "test_seen_at")) == noted


def test_a_refunded_payment_and_no_other_is_archived_in_the_mirror(site: Site, paid: Any) -> None:
    other = payment(paid.account)
    site.push()
    track.refund(f"payment-{paid.pk}")
    site.push()
    archived = dict(Transaction.objects.values_list("key", "archived"))
    assert archived == {f"payment-{paid.pk}": True, f"payment-{other.pk}": False}


def test_a_delivered_message_has_no_lease(site: Site) -> None:
    account()
    site.push()
    delivered = message("customers.create")
    assert (delivered.lease_token, delivered.lease_expires_at, delivered.next_try_at) == ("", None, None)
