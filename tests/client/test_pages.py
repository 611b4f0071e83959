import pytest
from hypothesis import given
from hypothesis import strategies as st

from django_partnerstack.client import CustomerRecord, Page
from django_partnerstack.client.pages import read_page, walk
from django_partnerstack.client.parsing import Malformed
from django_partnerstack.exceptions import PagingError, RecordError


def page(*keys, has_more=True):
    return read_page(CustomerRecord, {"items": [{"key": key} for key in keys], "has_more": has_more})


def test_a_page_holds_its_records_in_order():
    found = page("cus_2", "cus_1")
    assert [record.key for record in found.records] == ["cus_2", "cus_1"]
    assert (found.unusable, found.has_more, found.next_cursor, found.total) == ((), True, "cus_1", None)


def test_an_unusable_item_does_not_hide_its_page():
    found = page("cus_3", None, "cus_1")
    assert [record.key for record in found.records] == ["cus_3", "cus_1"]
    assert [error.position for error in found.unusable] == [1]
    assert found.next_cursor == "cus_1"


def test_the_records_of_a_page_come_up_to_the_unusable_one():
    records = iter(page("cus_3", "cus_2", None, "cus_1"))
    assert [next(records).key, next(records).key] == ["cus_3", "cus_2"]
    with pytest.raises(RecordError):
        next(records)


@pytest.mark.parametrize(
    "last", [page("cus_1", has_more=False), page(), page("cus_1", None), page("cus_1", 5)]
)
def test_a_walk_ends_by_each_of_three_rules(last):
    assert last.next_cursor is None


@pytest.mark.parametrize("data", [None, [], {}, {"items": None}, {"items": {}}])
def test_a_list_without_items_is_malformed(data):
    with pytest.raises(Malformed):
        read_page(CustomerRecord, data)


@pytest.mark.parametrize(("total", "shown"), [(7, 7), (None, None), ("7", None), (True, None)])
def test_a_total_is_shown_where_there_is_one(total, shown):
    assert read_page(CustomerRecord, {"items": [], "total": total}).total == shown


def test_a_cursor_that_comes_back_stops_the_walk():
    cursors = iter(["a", "b", "a"])
    pages = walk(lambda cursor: Page(has_more=True, next_cursor=next(cursors)), None)
    assert [found.next_cursor for found in (next(pages), next(pages), next(pages))] == ["a", "b", "a"]
    with pytest.raises(PagingError):
        next(pages)


def test_the_cursor_a_walk_began_with_is_one_of_those():
    pages = walk(lambda cursor: Page(has_more=True, next_cursor="a"), "a")
    next(pages)
    with pytest.raises(PagingError):
        next(pages)


@given(st.lists(st.text(min_size=1, max_size=5), unique=True), st.integers(1, 7))
def test_a_walk_gives_everything_once_and_in_order(keys, size):
    def fetch(cursor):
        start = 0 if cursor is None else keys.index(cursor) + 1
        return page(*keys[start : start + size], has_more=start + size < len(keys))

    assert [record.key for found in walk(fetch, None) for record in found] == keys


@given(st.lists(st.lists(st.sampled_from(["a", "b", "c", None, 5]), max_size=3), min_size=1, max_size=5))
def test_a_walk_over_anything_comes_to_an_end(pages):
    served = [page(*keys) for keys in pages]
    requests = []

    def fetch(cursor):
        requests.append(cursor)
        return served[len(requests) % len(served)]

    try:
        for _ in walk(fetch, None):
            pass
    except PagingError:
        pass
    assert len(requests) <= 5
