import itertools
from datetime import timedelta

import pytest
import responses
from django.test.utils import CaptureQueriesContext

from django_partnerstack.client import Client
from django_partnerstack.exceptions import BadRequest, PagingError
from django_partnerstack.models import Customer, SyncState
from django_partnerstack.sync import pull
from django_partnerstack.sync.walk import Walk

from .conftest import API_URL

pytestmark = pytest.mark.django_db


def remote_keys(programme):
    return {item["key"] for item in programme.sandbox.objects("customers")}


def mirrored_keys():
    return set(Customer.objects.filter(missing_since=None).values_list("key", flat=True))


def last_key_of_page(programme, number):
    return programme.sandbox.objects("customers")[number * 250 - 1]["key"]


ANSWERS = ("404", "400", "empty", "first_page", "works")


@pytest.mark.parametrize("full", [True, False])
@pytest.mark.parametrize("answer", ANSWERS)
def test_a_cursor_whose_object_was_deleted_between_two_pages_loses_nothing(answer, full, many, sync):
    many.sandbox.behaviour.deleted_cursor = answer
    doomed = last_key_of_page(many, 1)

    def delete_the_cursor(pulled):
        if doomed in remote_keys(many):
            many.sandbox.remove("customers", doomed)

    assert sync(many, full=full, on_page=delete_the_cursor).complete
    assert remote_keys(many) <= mirrored_keys()
    assert Customer.objects.count() == 600


@pytest.mark.parametrize("answer", ANSWERS)
def test_cursors_deleted_again_and_again_lose_nothing(answer, many, sync):
    many.sandbox.behaviour.deleted_cursor = answer
    doomed = itertools.islice((item["key"] for item in many.sandbox.objects("customers")), 249, 252)

    def delete_a_cursor(pulled):
        if key := next(doomed, None):
            many.sandbox.remove("customers", key)

    assert sync(many, full=True, on_page=delete_a_cursor).complete
    assert remote_keys(many) <= mirrored_keys()


@pytest.mark.parametrize("answer", ANSWERS)
def test_a_cursor_deleted_while_no_pull_was_running_loses_nothing(answer, many, sync):
    many.sandbox.behaviour.deleted_cursor = answer
    stop_after_the_first_page(many, sync)
    many.sandbox.remove("customers", last_key_of_page(many, 1))
    assert sync(many).complete
    assert remote_keys(many) <= mirrored_keys()


@pytest.mark.parametrize("answer", ANSWERS)
def test_all_objects_behind_a_page_can_vanish(answer, many, sync, clock):
    many.sandbox.behaviour.deleted_cursor = answer
    sync(many)
    clock.move(hours=1)

    def delete_the_rest(pulled):
        for item in many.sandbox.objects("customers")[100:]:
            many.sandbox.remove("customers", item["key"])

    assert sync(many, full=True, on_page=delete_the_rest).complete
    assert remote_keys(many) <= mirrored_keys()


def stop_after_the_first_page(programme, sync, **options):
    class Stop(Exception):
        pass

    def stop(pulled):
        raise Stop

    with pytest.raises(Stop):
        sync(programme, on_page=stop, **options)


def test_a_pull_that_was_stopped_goes_on_behind_the_last_stored_page(many, sync):
    stop_after_the_first_page(many, sync)
    assert Customer.objects.count() == 250
    pulled = sync(many)
    assert pulled.created == 350
    assert len(many.asked) == 3
    assert remote_keys(many) == mirrored_keys()


def test_an_error_in_the_middle_keeps_what_was_stored_and_the_next_pull_goes_on(many, sync):
    def break_down(pulled):
        many.sandbox.faults.add("status", status=503, times=4)

    with pytest.raises(Exception, match="503"):
        sync(many, on_page=break_down)
    assert sync(many).created == 350


def test_a_full_pull_that_was_stopped_goes_on_and_marks_what_is_gone(many, sync, clock):
    sync(many)
    gone = last_key_of_page(many, 2)
    many.sandbox.remove("customers", gone)
    clock.move(hours=1)
    stop_after_the_first_page(many, sync, full=True)
    assert sync(many).missing == 1
    assert Customer.objects.exclude(missing_since=None).get().key == gone


def test_a_full_pull_does_not_go_on_with_one_that_was_not(many, sync, clock):
    sync(many)
    clock.move(days=1)
    for item in many.sandbox.objects("customers")[:300]:
        many.sandbox.change("customers", item["key"], name="New")
    stop_after_the_first_page(many, sync)
    assert sync(many, full=True).read == 600


def test_a_change_behind_the_back_of_a_walk_is_for_the_next_one(many, sync, clock):
    first = many.sandbox.objects("customers")[0]["key"]

    def change_what_was_read(pulled):
        clock.move(hours=1)
        many.sandbox.change("customers", first, name=f"Changed after {pulled.read}")

    sync(many, on_page=change_what_was_read)
    sync(many)
    assert Customer.objects.get(key=first).name == "Changed after 600"


@pytest.mark.parametrize("order", ["created_at", "updated_at"])
def test_the_order_of_an_incremental_list_does_not_matter(order, many, sync, clock):
    many.sandbox.behaviour.order_under_updated = order
    sync(many)
    clock.move(days=1)
    for number, item in enumerate(many.sandbox.objects("customers")):
        clock.move(milliseconds=number % 2)
        many.sandbox.change("customers", item["key"], name="New")
    assert sync(many).updated == 600


def items(*keys):
    return [{"key": key, "created_at": 1, "updated_at": 1} for key in keys]


def answer(*found, has_more):
    responses.get(f"{API_URL}/customers", json={"data": {"items": items(*found), "has_more": has_more}})


@responses.activate
def test_a_list_that_leads_in_a_circle_is_given_up(clock):
    answer("cus_1", has_more=True)
    answer("cus_2", has_more=True)
    client = Client("pk_x", "sk_x")
    with pytest.raises(PagingError, match="customers"):
        pull("customers", client=client, mode="test", now=clock)
    assert mirrored_keys() == {"cus_1", "cus_2"}


@responses.activate
def test_an_error_about_something_else_than_the_cursor_is_told_as_it_is(clock):
    answer("cus_1", has_more=True)
    responses.get(f"{API_URL}/customers", status=400, json={"message": "Bad day"})
    answer("cus_1", has_more=True)
    with pytest.raises(BadRequest, match="Bad day"):
        pull("customers", client=Client("pk_x", "sk_x"), mode="test", now=clock)


@pytest.mark.parametrize(
    ("walk", "other", "covers"),
    [
        ({"full": True}, {"full": False, "since": 5}, True),
        ({"full": True}, {"full": True}, True),
        ({"full": False}, {"full": True}, False),
        ({"full": False}, {"full": False, "since": 5}, True),
        ({"full": False, "since": 5}, {"full": False}, False),
        ({"full": False, "since": 5}, {"full": False, "since": 6}, True),
        ({"full": False, "since": 6}, {"full": False, "since": 5}, False),
    ],
)
def test_a_walk_is_taken_up_only_if_it_reads_all_that_is_asked_for(walk, other, covers, clock):
    def made(full, since=None):
        return Walk(full=full, started_at=clock.now, since=since and clock.now + timedelta(days=since))

    assert made(**walk).covers(made(**other)) is covers


def test_a_walk_survives_being_written_down(clock):
    walk = Walk(full=True, started_at=clock.now, cursor="cus_1", newest=clock.now)
    assert Walk.from_json(walk.to_json()) == walk


def test_the_state_is_clear_after_a_walk(many, sync):
    sync(many, full=True)
    state = SyncState.objects.get()
    assert (state.checkpoint, state.lease_owner, state.lease_expires_at) == (None, "", None)


def test_a_page_takes_no_more_than_five_queries_whatever_it_holds(many, sync, clock, django_db_blocker):
    from django.db import connection

    counts = []

    def per_page(captured, **options):
        seen = [0]

        def count(pulled):
            sqls = [query["sql"] for query in captured.captured_queries]
            kept = [sql for sql in sqls if not sql.startswith(("BEGIN", "COMMIT", "SAVEPOINT", "RELEASE"))]
            counts.append(len(kept) - seen[0])
            seen[0] = len(kept)

        return count

    def pages(**options):
        counts.clear()
        with CaptureQueriesContext(connection) as captured:
            sync(many, on_page=per_page(captured), **options)
        return max(counts[1:])

    for item in many.sandbox.objects("customers"):
        Customer.objects.create(mode="test", key=None, customer_key=item["customer_key"])
    assert pages(full=True) <= 5  # all are adopted
    assert pages(full=True) <= 5  # nothing is new
    clock.move(days=1)
    for item in many.sandbox.objects("customers"):
        many.sandbox.change("customers", item["key"], name="New")
    for _ in range(30):
        many.sandbox.create("customers")
    assert pages() <= 5
