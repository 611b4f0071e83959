from datetime import date, datetime, timedelta, timezone

import pytest

from django_partnerstack.client import validation
from django_partnerstack.client.money import currency_code
from django_partnerstack.exceptions import InvalidArgument


@pytest.mark.parametrize(
    ("check", "value", "sent"),
    [
        (currency_code, "usd", "USD"),
        (validation.email, "a@example.com", "a@example.com"),
        (validation.integer(-5, 5), -5, -5),
        (validation.transaction_amount, -50_000_000_000, -50_000_000_000),
        (validation.boolean, False, False),
        (validation.choice("a", "b"), "b", "b"),
        (validation.strings, ("a", "b"), ["a", "b"]),
        (validation.mapping, {"a": 1}, {"a": 1}),
        (validation.iso_date, date(2025, 12, 31), "2025-12-31"),
        (validation.iso_date, "2025-12-31", "2025-12-31"),
        (validation.milliseconds, datetime(1970, 1, 1, 0, 0, 1, tzinfo=timezone.utc), 1000),
        (validation.metadata, {"a" * 30: "b" * 100}, {"a" * 30: "b" * 100}),
    ],
)
def test_a_value_within_the_limits_is_sent(check, value, sent):
    assert check("field", value) == sent


@pytest.mark.parametrize(
    ("check", "value"),
    [
        (validation.text(5), "x" * 6),
        (validation.text(5, shortest=4), "xxx"),
        (validation.key, ""),
        (validation.key, 5),
        (validation.key, "x" * 256),
        (validation.email, "a@"),
        (validation.email, "a b@example.com"),
        (validation.integer(0, 10), 1.0),
        (validation.integer(0, 10), True),
        (validation.integer(0, 10), "1"),
        (validation.integer(0, 10), 11),
        (validation.transaction_amount, 50_000_000_001),
        (currency_code, "US"),
        (currency_code, "US1"),
        (currency_code, None),
        (validation.boolean, 1),
        (validation.choice("a", "b"), "c"),
        (validation.choice("a", "b"), ["a"]),
        (validation.strings, "ab"),
        (validation.strings, [1]),
        (validation.field_objects, ["a"]),
        (validation.mapping, [("a", 1)]),
        (validation.mapping, {1: 1}),
        (validation.iso_date, "31.12.2025"),
        (validation.iso_date, "2025-13-01"),
        (validation.iso_date, datetime(2025, 12, 31)),
        (validation.milliseconds, datetime(2025, 12, 31)),
        (validation.milliseconds, 1000),
        (validation.metadata, {str(number): "" for number in range(26)}),
        (validation.metadata, {"a" * 31: ""}),
        (validation.metadata, {"a": "b" * 101}),
        (validation.metadata, {"a": {}}),
        (validation.seconds, 0),
        (validation.seconds, -1),
        (validation.seconds, None),
        (validation.seconds, True),
        (validation.seconds, "5"),
        (validation.seconds, float("inf")),
        (validation.seconds, float("nan")),
    ],
)
def test_a_value_beyond_the_limits_is_refused_with_the_name_of_the_field(check, value):
    with pytest.raises(InvalidArgument, match="field"):
        check("field", value)


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
    assert validation.path_segment("key", key) == segment


@pytest.mark.parametrize("key", ["", ".", "..", None, 5, "x" * 256, "\ud800"])
def test_a_key_that_cannot_be_a_segment_is_refused(key):
    with pytest.raises(InvalidArgument, match="customer_key"):
        validation.path_segment("customer_key", key)


@pytest.mark.parametrize("path", ["/customers", "/customers/a%2Fb", "/"])
def test_a_path_below_the_url_is_accepted_unchanged(path):
    assert validation.path(path) == path


@pytest.mark.parametrize(
    "path",
    ["customers", "", None, "https://example.com/", "/a?b", "/a#b", "/a b", "/é", "/../v1", "/%2e%2E"],
)
def test_a_path_that_leads_out_of_the_url_is_refused(path):
    with pytest.raises(InvalidArgument, match="path"):
        validation.path(path)


@pytest.mark.parametrize("method", ["TRACE", "", None, "GET /x"])
def test_a_method_that_the_api_does_not_have_is_refused(method):
    with pytest.raises(InvalidArgument, match="method"):
        validation.method(method)


@pytest.mark.parametrize(
    "url",
    [
        "https://api.partnerstack.com/api/v2",
        "http://localhost:8765/api/v2",
        "http://127.0.0.1:8765/v1",
        "http://[::1]:80/v1",
    ],
)
def test_an_https_url_and_a_url_of_this_machine_are_accepted(url):
    assert validation.url("api_url", url + "/") == url


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
def test_any_other_url_is_refused_and_not_shown(url):
    with pytest.raises(InvalidArgument, match="api_url") as caught:
        validation.url("api_url", url)
    assert "password" not in str(caught.value)


@pytest.mark.parametrize(
    ("value", "sent"),
    [
        (datetime(2023, 11, 14, 12, tzinfo=timezone(timedelta(hours=1))), "1699959600000"),
        (True, "true"),
        (False, "false"),
        ("gold", "gold"),
        (5, "5"),
    ],
)
def test_a_filter_is_written_as_partnerstack_reads_it(value, sent):
    assert validation.filter_value("min_created", value) == sent


@pytest.mark.parametrize("value", [datetime(2023, 11, 14), date(2023, 11, 14), 1.5, {}, b"x", "\ud800"])
def test_a_filter_that_could_be_misread_is_refused(value):
    with pytest.raises(InvalidArgument, match="min_created"):
        validation.filter_value("min_created", value)
