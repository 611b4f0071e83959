import itertools
from dataclasses import dataclass
from datetime import datetime, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from django_partnerstack.client import Client, CustomerRecord, Page, fields
from django_partnerstack.client.records import RECORDS, Record
from django_partnerstack.client.replies import Malformed
from django_partnerstack.client.resources.base import MAX_PAGE_SIZE, MAX_PAGES, paginate, read_page
from django_partnerstack.exceptions import InvalidArgument, PagingError, RecordError

from ..conftest import API, PUBLIC, SECRET, listing

ITEM = {"key": "x_1"}


def page(*keys, has_more=True):
    return read_page(CustomerRecord, {"items": [{"key": key} for key in keys], "has_more": has_more})


@pytest.fixture
def offer_record():
    """A list of the API that this package does not know, declared by its record alone."""

    @dataclass(frozen=True, slots=True, kw_only=True)
    class OfferRecord(Record, resource="offers"):
        name: str = fields.text()

    yield OfferRecord
    del RECORDS["offers"]


def test_a_record_that_names_its_list_gives_every_client_that_list(api, offer_record):
    api.get(f"{API}/offers", json=listing({"key": "offer_1", "name": "Spring"}))
    assert Client(PUBLIC, SECRET).offers.list().records == (
        offer_record(key="offer_1", name="Spring", raw={"key": "offer_1", "name": "Spring"}),
    )


@pytest.mark.parametrize("resource", RECORDS)
def test_every_list_gives_a_page_of_records(client, api, resource):
    api.get(f"{API}/{resource}", json=listing(ITEM, None, has_more=True))
    found = getattr(client, resource).list(limit=2, min_created=datetime(1970, 1, 2, tzinfo=timezone.utc))
    assert api.calls[0].request.params == {"limit": "2", "min_created": "86400000"}
    assert (found.records[0].key, len(found.unusable), found.has_more) == ("x_1", 1, True)
    assert type(found.records[0]) is RECORDS[resource]


@pytest.mark.parametrize("resource", RECORDS)
def test_every_list_is_read_to_its_end(client, api, resource):
    api.get(f"{API}/{resource}", json=listing({"key": "x_2"}, has_more=True))
    api.get(f"{API}/{resource}", json=listing({"key": "x_1"}))
    assert [record.key for record in getattr(client, resource).iterate()] == ["x_2", "x_1"]
    assert [call.request.params for call in api.calls] == [
        {"limit": "250"},
        {"limit": "250", "starting_after": "x_2"},
    ]


def test_pages_can_begin_after_a_key(client, api):
    api.get(f"{API}/customers", json=listing())
    list(client.customers.pages(starting_after="cus 5/6", group="gold"))
    assert api.calls[0].request.params == {"limit": "250", "starting_after": "cus 5/6", "group": "gold"}


def test_a_page_is_requested_only_when_it_is_needed(client, api):
    api.get(f"{API}/customers", json=listing(ITEM, has_more=True))
    next(client.customers.iterate())
    assert len(api.calls) == 1


def test_an_endless_list_is_an_error(client, api):
    api.get(f"{API}/customers", json=listing(ITEM, has_more=True))
    with pytest.raises(PagingError):
        list(client.customers.iterate())


def test_an_unusable_object_stops_iterate_but_not_pages(client, api):
    api.get(f"{API}/customers", json=listing(ITEM, {"key": 5.5}, {"key": "x_3"}))
    with pytest.raises(RecordError):
        list(client.customers.iterate())
    assert [record.key for record in next(client.customers.pages()).records] == ["x_1", "x_3"]


def test_a_wrong_filter_is_refused_before_the_first_page(client):
    with pytest.raises(InvalidArgument):
        client.customers.pages(min_created=datetime(2025, 1, 1))
    with pytest.raises(InvalidArgument, match="read forward"):
        client.customers.pages(ending_before="cus_1")


def test_two_directions_at_once_are_refused(client):
    with pytest.raises(InvalidArgument, match="not both"):
        client.customers.list(starting_after="cus_1", ending_before="cus_2")


@pytest.mark.parametrize(("limit", "sent"), [(-1, "1"), (0, "1"), (10, "10"), (250, "250"), (10_000, "250")])
def test_a_limit_out_of_range_is_moved_into_the_range(client, api, limit, sent):
    api.get(f"{API}/customers", json=listing())
    client.customers.list(limit=limit)
    assert api.calls[0].request.params == {"limit": sent}


@pytest.mark.parametrize("limit", [True, "10", 1.0, None])
def test_a_limit_that_is_not_an_int_is_refused(client, limit):
    with pytest.raises(InvalidArgument, match="limit"):
        client.customers.list(limit=limit)


def test_a_page_has_its_records_in_order():
    found = page("cus_2", "cus_1")
    assert [record.key for record in found.records] == ["cus_2", "cus_1"]
    assert (found.unusable, found.has_more, found.next_cursor, found.total) == ((), True, "cus_1", None)


def test_a_page_with_an_unusable_object_has_the_other_records():
    found = page("cus_3", None, "cus_1")
    assert [record.key for record in found.records] == ["cus_3", "cus_1"]
    assert [error.position for error in found.unusable] == [1]
    assert found.next_cursor == "cus_1"


def test_iterating_over_a_page_raises_at_the_unusable_object():
    records = iter(page("cus_3", "cus_2", None, "cus_1"))
    assert [next(records).key, next(records).key] == ["cus_3", "cus_2"]
    with pytest.raises(RecordError):
        next(records)


@pytest.mark.parametrize(
    "last", [page("cus_1", has_more=False), page(), page("cus_1", None), page("cus_1", 5)]
)
def test_a_page_is_the_last_by_each_of_three_rules(last):
    assert last.next_cursor is None


@pytest.mark.parametrize("data", [None, [], {}, {"items": None}, {"items": {}}])
def test_a_list_without_items_is_malformed(data):
    with pytest.raises(Malformed):
        read_page(CustomerRecord, data)


@pytest.mark.parametrize(("total", "shown"), [(7, 7), (None, None), ("7", None), (True, None)])
def test_a_page_has_the_total_if_partnerstack_sends_it(total, shown):
    assert read_page(CustomerRecord, {"items": [], "total": total}).total == shown


def test_a_repeated_cursor_is_an_error_after_its_page():
    cursors = iter(["a", "b", "a"])
    pages = paginate(lambda cursor: Page(has_more=True, next_cursor=next(cursors)), None)
    assert [found.next_cursor for found in (next(pages), next(pages), next(pages))] == ["a", "b", "a"]
    with pytest.raises(PagingError):
        next(pages)


def test_the_first_cursor_must_not_be_repeated():
    pages = paginate(lambda cursor: Page(has_more=True, next_cursor="a"), "a")
    next(pages)
    with pytest.raises(PagingError):
        next(pages)


@given(st.lists(st.text(min_size=1, max_size=5), unique=True), st.integers(1, 7))
def test_pages_have_every_object_once_and_in_order(keys, size):
    def fetch(cursor):
        start = 0 if cursor is None else keys.index(cursor) + 1
        return page(*keys[start : start + size], has_more=start + size < len(keys))

    assert [record.key for found in paginate(fetch, None) for record in found] == keys


@given(st.lists(st.lists(st.sampled_from(["a", "b", "c", None, 5]), max_size=3), min_size=1, max_size=5))
def test_paginating_any_pages_comes_to_an_end(pages):
    served = [page(*keys) for keys in pages]
    requests = []

    def fetch(cursor):
        requests.append(cursor)
        return served[len(requests) % len(served)]

    try:
        for _ in paginate(fetch, None):
            pass
    except PagingError:
        pass
    assert len(requests) <= 5


def endless():
    """Pages of a list that returns a new cursor for ever."""
    return lambda cursor: Page(has_more=True, next_cursor=f"{int(cursor or 0) + 1}")


def test_a_list_that_never_ends_is_stopped_and_says_so():
    pages = paginate(endless(), None, max_pages=3)
    assert [found.next_cursor for found in itertools.islice(pages, 3)] == ["1", "2", "3"]
    with pytest.raises(PagingError, match="did not end after 3 pages"):
        next(pages)


def test_a_list_of_as_many_pages_as_allowed_is_read_to_its_end():
    fetch = iter([Page(has_more=True, next_cursor="a"), Page(has_more=True, next_cursor="b"), Page()])
    assert len(list(paginate(lambda cursor: next(fetch), None, max_pages=3))) == 3


def test_no_real_programme_has_as_many_pages_as_are_allowed():
    assert MAX_PAGES * MAX_PAGE_SIZE >= 10_000_000
