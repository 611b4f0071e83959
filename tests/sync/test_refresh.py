import itertools

import pytest

from django_partnerstack.exceptions import BadRequest
from django_partnerstack.models import Customer, Deal, Lead, Partnership
from django_partnerstack.sync import refresh

pytestmark = pytest.mark.django_db


def reread(programme, now, model=Customer, rows=None, **options):
    options.setdefault("deadline_seconds", 60)
    rows = model.objects.order_by("pk") if rows is None else rows
    return refresh(model, rows, client=programme.client, now=now, **options)


def test_changed_rows_are_updated_and_the_others_left_alone(programme, sync, clock):
    sync(programme)
    key = programme.sandbox.objects("customers")[0]["key"]
    programme.sandbox.change("customers", key, name="New")
    done = reread(programme, clock)
    assert (done.updated, done.unchanged) == (1, 9)
    assert Customer.objects.get(key=key).name == "New"


@pytest.mark.parametrize(("name", "model"), [("partnerships", Partnership), ("deals", Deal), ("leads", Lead)])
def test_whatever_can_be_read_one_by_one_can_be_refreshed(name, model, programme, sync, clock):
    sync(programme, name)
    assert reread(programme, clock, model).unchanged == model.objects.count()


def test_what_partnerstack_does_not_know_is_marked_as_missing(programme, sync, clock):
    sync(programme)
    row = Customer.objects.first()
    programme.sandbox.remove("customers", row.key)
    assert reread(programme, clock).missing == 1
    row.refresh_from_db()
    assert row.missing_since == clock.now


def test_a_customer_that_goes_by_partnerstacks_key_only_is_found(programme, sync, clock):
    programme.sandbox.behaviour.customer_paths = ["internal"]
    sync(programme)
    assert reread(programme, clock).unchanged == 10


def test_a_customer_of_this_site_that_is_not_there_yet_is_not_missing(programme, clock):
    Customer.objects.create(mode="test", key=None, customer_key="account-of-tomorrow")
    reread(programme, clock)
    assert Customer.objects.get().missing_since is None


def test_an_error_is_kept_by_row_and_the_rest_goes_on(programme, sync, clock):
    sync(programme)
    programme.sandbox.faults.add("status", status=400, times=1)
    done = reread(programme, clock)
    assert [type(error) for error in done.failed.values()] == [BadRequest]
    assert done.unchanged == 9


def test_nothing_is_asked_when_the_time_is_up(programme, sync, clock):
    sync(programme)
    programme.adapter.requests.clear()
    done = reread(programme, clock, deadline_seconds=3, clock=itertools.count().__next__)
    assert (done.unchanged, done.left) == (2, 8)
    assert len(programme.asked) == 2


def test_receivers_hear_of_what_was_refreshed(programme, sync, clock, received):
    sync(programme)
    received.clear()
    key = programme.sandbox.objects("customers")[0]["key"]
    programme.sandbox.change("customers", key, name="New")
    reread(programme, clock)
    assert [(call["created"], call["updated"]) for call in received] == [([], [key])]
