import itertools

import pytest

from django_partnerstack.exceptions import BadRequest
from django_partnerstack.models import Customer, Transaction
from django_partnerstack.resources import RESOURCES
from django_partnerstack.sync import refresh

pytestmark = pytest.mark.django_db


def refreshed(programme, now, model=Customer, rows=None, **options):
    options.setdefault("deadline_seconds", 60)
    rows = model.objects.order_by("pk") if rows is None else rows
    return refresh(model, rows, client=programme.client, now=now, **options)


def test_changed_rows_are_updated_and_the_others_are_not_written(programme, sync, clock):
    sync(programme)
    key = programme.sandbox.objects("customers")[0]["key"]
    programme.sandbox.change("customers", key, name="New")
    done = refreshed(programme, clock)
    assert (done.updated, done.unchanged) == (1, 9)
    assert Customer.objects.get(key=key).name == "New"


@pytest.mark.parametrize("name", [name for name, resource in RESOURCES.items() if resource.readable])
def test_every_readable_resource_can_be_refreshed(name, programme, sync, clock):
    sync(programme, name)
    model = RESOURCES[name].model
    assert refreshed(programme, clock, model).unchanged == model.objects.count() > 0


def test_a_resource_that_is_not_readable_is_refused_before_any_request(programme, sync, clock):
    sync(programme, "transactions")
    programme.adapter.requests.clear()
    with pytest.raises(LookupError, match="no single object of transactions"):
        refreshed(programme, clock, Transaction)
    assert not programme.queries


def test_a_row_that_partnerstack_does_not_have_is_marked_as_missing(programme, sync, clock):
    sync(programme)
    row = Customer.objects.first()
    programme.sandbox.remove("customers", row.key)
    assert refreshed(programme, clock).missing == 1
    row.refresh_from_db()
    assert row.missing_since == clock.now


def test_a_customer_is_found_where_paths_accept_only_partnerstacks_key(programme, sync, clock):
    programme.sandbox.behaviour.customer_paths = ["internal"]
    sync(programme)
    assert refreshed(programme, clock).unchanged == 10


def test_an_error_is_returned_by_row_and_the_others_are_refreshed(programme, sync, clock):
    sync(programme)
    programme.sandbox.faults.add("status", status=400, times=1)
    done = refreshed(programme, clock)
    assert [type(error) for error in done.failed.values()] == [BadRequest]
    assert done.unchanged == 9


def test_no_request_is_sent_when_the_time_is_up(programme, sync, clock):
    sync(programme)
    programme.adapter.requests.clear()
    done = refreshed(programme, clock, deadline_seconds=3, clock=itertools.count().__next__)
    assert (done.unchanged, done.not_tried) == (2, 8)
    assert len(programme.queries) == 2


def test_a_refresh_sends_a_signal_with_the_changed_keys(programme, sync, clock, received):
    sync(programme)
    received.clear()
    key = programme.sandbox.objects("customers")[0]["key"]
    programme.sandbox.change("customers", key, name="New")
    refreshed(programme, clock)
    assert [(call["created"], call["updated"]) for call in received] == [([], [key])]
