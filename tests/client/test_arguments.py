from datetime import date, datetime, timedelta, timezone

import pytest

from django_partnerstack.client import arguments
from django_partnerstack.exceptions import InvalidArgument


@pytest.mark.parametrize(
    ("key", "segment"),
    [
        ("cus_1", "cus_1"),
        ("a/b c", "a%2Fb%20c"),
        ("a@example.com", "a%40example.com"),
        ("100%", "100%25"),
        ("../x", "..%2Fx"),
        ("é", "%C3%A9"),
    ],
)
def test_a_key_is_one_segment_of_the_path(key, segment):
    assert arguments.segment("key", key) == segment


@pytest.mark.parametrize("key", ["", ".", "..", None, 5, "x" * 256, "\ud800"])
def test_what_cannot_be_a_segment_is_refused(key):
    with pytest.raises(InvalidArgument, match="customer_key"):
        arguments.segment("customer_key", key)


@pytest.mark.parametrize("path", ["/customers", "/customers/a%2Fb", "/"])
def test_a_path_below_the_url_is_taken_as_it_is(path):
    assert arguments.plain_path(path) == path


@pytest.mark.parametrize(
    "path",
    ["customers", "", None, "https://example.com/", "/a?b", "/a#b", "/a b", "/é", "/../v1", "/%2e%2E"],
)
def test_a_path_that_leads_elsewhere_is_refused(path):
    with pytest.raises(InvalidArgument, match="path"):
        arguments.plain_path(path)


@pytest.mark.parametrize(
    "url",
    [
        "https://api.partnerstack.com/api/v2",
        "http://localhost:8765/api/v2",
        "http://127.0.0.1:8765/v1",
        "http://[::1]:80/v1",
    ],
)
def test_keys_go_over_https_or_stay_on_this_machine(url):
    assert arguments.url("api_url", url + "/") == url


@pytest.mark.parametrize(
    "url",
    [
        "http://api.partnerstack.com/api/v2",
        "http://127.0.0.1.example.com/",
        "ftp://localhost/",
        "https://",
        "https://user:password@example.com/",
        "https://example.com/?a=b",
        "https://example.com/#a",
        "https://example.com:port/",
        "https://[bad/",
        "",
        None,
    ],
)
def test_another_url_is_refused_without_showing_it(url):
    with pytest.raises(InvalidArgument, match="api_url") as caught:
        arguments.url("api_url", url)
    assert "password" not in str(caught.value)


@pytest.mark.parametrize("value", [0, -1, None, True, "5", float("inf"), float("nan")])
def test_a_time_out_is_a_number_of_seconds(value):
    with pytest.raises(InvalidArgument, match="deadline"):
        arguments.seconds("deadline", value)


def test_filters_are_written_as_partnerstack_reads_them():
    noon = datetime(2023, 11, 14, 12, tzinfo=timezone(timedelta(hours=1)))
    filters = {"min_created": noon, "include_archived": True, "group": "gold", "limit": 5, "email": None}
    assert arguments.query(filters) == [
        ("min_created", "1699959600000"),
        ("include_archived", "true"),
        ("group", "gold"),
        ("limit", "5"),
    ]


def test_a_filter_with_several_values_is_repeated():
    assert arguments.query({"customer_key": ["a", "b"]}) == [("customer_key", "a"), ("customer_key", "b")]


@pytest.mark.parametrize("value", [datetime(2023, 11, 14), date(2023, 11, 14), 1.5, {}, b"x", "\ud800"])
def test_a_filter_that_could_be_misread_is_refused(value):
    with pytest.raises(InvalidArgument, match="min_created"):
        arguments.query({"min_created": value})


@pytest.mark.parametrize(("limit", "sent"), [(-1, "1"), (0, "1"), (10, "10"), (250, "250"), (10_000, "250")])
def test_the_size_of_a_page_is_moved_into_its_bounds(limit, sent):
    assert arguments.list_query(limit, None, {}) == [("limit", sent)]


@pytest.mark.parametrize("limit", [True, "10", 1.0, None])
def test_the_size_of_a_page_is_a_whole_number(limit):
    with pytest.raises(InvalidArgument, match="limit"):
        arguments.list_query(limit, None, {})


def test_two_directions_at_once_are_refused():
    with pytest.raises(InvalidArgument, match="not both"):
        arguments.list_query(10, "cus_1", {"ending_before": "cus_2"})
