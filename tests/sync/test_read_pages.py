import itertools
import json

import pytest
import responses

from django_partnerstack.client import Client
from django_partnerstack.client.resources.base import MAX_PAGES
from django_partnerstack.exceptions import BadRequest, PagingError
from django_partnerstack.models import Customer, SyncState
from django_partnerstack.resources import RESOURCES
from django_partnerstack.sync import pull
from django_partnerstack.sync.checkpoint import Checkpoint, read_pages

from .conftest import API_URL, mirrored_keys, stop_after_the_first_page

pytestmark = pytest.mark.django_db


ANSWERS = ("404", "400", "empty", "first_page", "works")


@pytest.mark.parametrize("full", [True, False])
@pytest.mark.parametrize("answer", ANSWERS)
def test_a_cursor_whose_object_was_deleted_between_two_pages_loses_nothing(answer, full, many, sync):
    many.sandbox.behaviour.deleted_cursor = answer
    doomed = many.last_key_of_page(1)

    def delete_the_cursor(pulled):
        if doomed in many.customer_keys():
            many.sandbox.remove("customers", doomed)

    assert sync(many, full=full, on_page=delete_the_cursor).complete
    assert many.customer_keys() <= mirrored_keys()
    assert Customer.objects.count() == 600


@pytest.mark.parametrize("answer", ANSWERS)
def test_cursors_deleted_on_every_page_lose_nothing(answer, many, sync):
    many.sandbox.behaviour.deleted_cursor = answer
    doomed = itertools.islice((item["key"] for item in many.sandbox.objects("customers")), 249, 252)

    def delete_a_cursor(pulled):
        if key := next(doomed, None):
            many.sandbox.remove("customers", key)

    assert sync(many, full=True, on_page=delete_a_cursor).complete
    assert many.customer_keys() <= mirrored_keys()


@pytest.mark.parametrize("answer", ANSWERS)
def test_a_cursor_deleted_while_no_pull_was_running_loses_nothing(answer, many, sync):
    many.sandbox.behaviour.deleted_cursor = answer
    stop_after_the_first_page(sync, many)
    many.sandbox.remove("customers", many.last_key_of_page(1))
    assert sync(many).complete
    assert many.customer_keys() <= mirrored_keys()


@pytest.mark.parametrize("answer", ANSWERS)
def test_all_objects_after_a_page_can_be_deleted(answer, many, sync, clock):
    many.sandbox.behaviour.deleted_cursor = answer
    sync(many)
    clock.move(hours=1)

    def delete_the_rest(pulled):
        for item in many.sandbox.objects("customers")[100:]:
            many.sandbox.remove("customers", item["key"])

    assert sync(many, full=True, on_page=delete_the_rest).complete
    assert many.customer_keys() <= mirrored_keys()


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
def test_a_list_that_leads_back_to_an_earlier_page_is_an_error(clock):
    answer("cus_1", has_more=True)
    answer("cus_2", has_more=True)
    client = Client("pk_x", "sk_x")
    with pytest.raises(PagingError, match="customers"):
        pull("customers", client=client, mode="test", now=clock)
    assert mirrored_keys() == {"cus_1", "cus_2"}


@responses.activate
def test_an_error_that_is_not_about_the_cursor_is_raised(clock):
    answer("cus_1", has_more=True)
    responses.get(f"{API_URL}/customers", status=400, json={"message": "Bad day"})
    answer("cus_1", has_more=True)
    with pytest.raises(BadRequest, match="Bad day"):
        pull("customers", client=Client("pk_x", "sk_x"), mode="test", now=clock)


def endless(request):
    """A list that returns new objects for ever."""
    number = int(request.params.get("starting_after", "cus_0").removeprefix("cus_")) + 1
    return 200, {}, json.dumps({"data": {"items": items(f"cus_{number}"), "has_more": True}})


@responses.activate
def test_a_list_that_never_ends_is_stopped_and_says_so(clock):
    responses.add_callback("GET", f"{API_URL}/customers", endless)
    checkpoint = Checkpoint(full=True, started_at=clock.now)
    pages = read_pages(Client("pk_x", "sk_x"), RESOURCES["customers"], checkpoint, max_pages=3)
    assert len(list(itertools.islice(pages, 3))) == 3
    with pytest.raises(PagingError, match="list of customers did not end after 3 pages"):
        next(pages)


@responses.activate
def test_the_pages_of_interrupted_pulls_count_too(clock):
    responses.add_callback("GET", f"{API_URL}/customers", endless)
    SyncState.objects.create(
        mode="test",
        resource="customers",
        checkpoint=Checkpoint(
            full=False, started_at=clock.now, cursor="cus_7", pages=MAX_PAGES - 2
        ).to_json(),
    )
    with pytest.raises(PagingError, match="did not end after 40,000 pages"):
        pull("customers", client=Client("pk_x", "sk_x"), mode="test", now=clock)
    assert mirrored_keys() == {"cus_8", "cus_9"}
    # The next pull starts again, so the list is read once PartnerStack has mended it.
    responses.reset()
    answer("cus_1", has_more=False)
    assert pull("customers", client=Client("pk_x", "sk_x"), mode="test", now=clock).complete
