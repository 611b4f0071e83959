import dataclasses
from datetime import datetime, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from django_partnerstack.client import fields
from django_partnerstack.exceptions import RecordError


def read(field, item, name="name"):
    """The value of a record's field in an object of PartnerStack."""
    return fields.read(dataclasses.make_dataclass("Sample", [(name, Any, field)]), item)[name]


@pytest.mark.parametrize(
    ("item", "value"),
    [
        ({"group_key": "a"}, "a"),
        ({"group": {"key": "b"}, "group_key": "a"}, "b"),
        ({"group": {"key": None}, "group_key": "a"}, "a"),
        ({"group": None, "group_key": "a"}, "a"),
        ({"slug": "c"}, "c from slug"),
        ({}, ""),
    ],
)
def test_the_first_usable_source_gives_the_value(item, value):
    field = fields.key(
        "group.key", "group_key", lambda item: item.get("slug") and f"{item['slug']} from slug"
    )
    assert read(field, item) == value


@pytest.mark.parametrize(
    ("value", "text"),
    [("a", "a"), (12, "12"), (None, ""), ({}, ""), ([], ""), (True, ""), (1.5, ""), ("x" * 300, "x" * 255)],
)
def test_a_text_field_is_text_for_any_value(value, text):
    assert read(fields.text(), {"name": value}) == text


def test_a_missing_text_is_empty():
    assert read(fields.text(), {}) == ""


def test_a_key_is_never_shortened():
    with pytest.raises(RecordError, match="partner_key is longer than 255") as caught:
        read(fields.key(), {"partner_key": "x" * 256}, "partner_key")
    assert caught.value.field == "partner_key"


@pytest.mark.parametrize("value", [None, "a", {}])
def test_a_list_that_is_missing_has_no_texts(value):
    assert read(fields.texts(), {"name": value}) == ()


@pytest.mark.parametrize(
    ("value", "number"),
    [
        (0, 0),
        (5, 5),
        (-5, -5),
        ("12", 12),
        (12.0, 12),
        (12.5, None),
        (True, None),
        ("", None),
        ("1 2", None),
        ([], None),
    ],
)
def test_an_integer_field_is_an_int_or_none(value, number):
    assert read(fields.integer(), {"name": value}) == number


@pytest.mark.parametrize("value", [2**63, -(2**63) - 1, 1e300, "9" * 19])
def test_an_integer_that_no_column_can_store_is_an_error(value):
    with pytest.raises(RecordError, match="amount is an integer of more than 64 bits"):
        read(fields.integer(), {"amount": value}, "amount")


@pytest.mark.parametrize(
    ("value", "answer"),
    [(True, True), ("true", True), ("False", False), (1, None), ("yes", None), (None, None)],
)
def test_a_boolean_field_is_true_false_or_none(value, answer):
    assert read(fields.boolean(), {"name": value}) is answer


@pytest.mark.parametrize("value", [1_700_000_000_123, "1700000000123", 1_700_000_000_123.0])
def test_a_timestamp_is_in_utc(value):
    moment = read(fields.timestamp(), {"name": value})
    assert moment == datetime(2023, 11, 14, 22, 13, 20, 123_000, tzinfo=timezone.utc)


@pytest.mark.parametrize("value", [None, True, -1, 10**15, 1e308, float("nan"), "2023-11-14", "", {}, []])
def test_an_invalid_timestamp_is_none(value):
    assert read(fields.timestamp(), {"name": value}) is None


@given(st.integers(0, fields.END_OF_TIME_MS - 1))
def test_timestamps_are_exact_to_the_millisecond(value):
    moment = read(fields.timestamp(), {"name": value})
    assert (moment - fields.EPOCH) // fields.MILLISECOND == value
