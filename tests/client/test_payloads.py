from datetime import date, datetime, timezone

import pytest

from django_partnerstack.client import payloads
from django_partnerstack.client.payloads import UNSET
from django_partnerstack.client.resources.transactions import metadata
from django_partnerstack.exceptions import InvalidArgument


def test_what_is_not_given_is_not_sent_and_none_is_sent_as_null():
    checks = {"a": payloads.or_null(payloads.key), "b": payloads.key}
    assert payloads.body(checks, a=None, b=UNSET) == {"a": None}


def test_none_is_refused_where_it_means_nothing():
    with pytest.raises(InvalidArgument, match="b must be a text"):
        payloads.body({"b": payloads.key}, b=None)


def test_an_update_of_nothing_is_refused():
    with pytest.raises(InvalidArgument, match="at least one field"):
        payloads.changes({"a": payloads.key}, a=UNSET)


@pytest.mark.parametrize("fields", [{"a": None, "b": None}, {"a": "1", "b": "2"}])
def test_one_of_several_is_one(fields):
    with pytest.raises(InvalidArgument, match="exactly one of a, b"):
        payloads.exactly_one(**fields)


@pytest.mark.parametrize(
    ("check", "value", "sent"),
    [
        (payloads.currency, "usd", "USD"),
        (payloads.email, "a@example.com", "a@example.com"),
        (payloads.whole(-5, 5), -5, -5),
        (payloads.boolean, False, False),
        (payloads.choice("a", "b"), "b", "b"),
        (payloads.texts, ("a", "b"), ["a", "b"]),
        (payloads.mapping, {"a": 1}, {"a": 1}),
        (payloads.day, date(2025, 12, 31), "2025-12-31"),
        (payloads.day, "2025-12-31", "2025-12-31"),
        (payloads.moment, datetime(1970, 1, 1, 0, 0, 1, tzinfo=timezone.utc), 1000),
        (metadata, {"a" * 30: "b" * 100}, {"a" * 30: "b" * 100}),
    ],
)
def test_what_fits_is_sent(check, value, sent):
    assert check("field", value) == sent


@pytest.mark.parametrize(
    ("check", "value"),
    [
        (payloads.text(5), "x" * 6),
        (payloads.text(5, shortest=4), "xxx"),
        (payloads.key, ""),
        (payloads.key, 5),
        (payloads.email, "a@"),
        (payloads.email, "a b@example.com"),
        (payloads.whole(0, 10), 1.0),
        (payloads.whole(0, 10), True),
        (payloads.whole(0, 10), "1"),
        (payloads.whole(0, 10), 11),
        (payloads.currency, "US"),
        (payloads.currency, "US1"),
        (payloads.currency, None),
        (payloads.boolean, 1),
        (payloads.choice("a", "b"), "c"),
        (payloads.choice("a", "b"), ["a"]),
        (payloads.texts, "ab"),
        (payloads.texts, [1]),
        (payloads.field_objects, ["a"]),
        (payloads.mapping, [("a", 1)]),
        (payloads.mapping, {1: 1}),
        (payloads.day, "31.12.2025"),
        (payloads.day, "2025-13-01"),
        (payloads.day, datetime(2025, 12, 31)),
        (payloads.moment, datetime(2025, 12, 31)),
        (payloads.moment, 1000),
        (metadata, {str(number): "" for number in range(26)}),
        (metadata, {"a" * 31: ""}),
        (metadata, {"a": "b" * 101}),
        (metadata, {"a": {}}),
    ],
)
def test_what_breaks_a_limit_is_refused_with_the_name_of_the_field(check, value):
    with pytest.raises(InvalidArgument, match="field"):
        check("field", value)
