from datetime import datetime, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from django_partnerstack.client import values
from django_partnerstack.exceptions import RecordError


@pytest.mark.parametrize(
    ("value", "text"),
    [("a", "a"), (12, "12"), (None, ""), ({}, ""), ([], ""), (True, ""), (1.5, ""), ("x" * 300, "x" * 255)],
)
def test_text_is_text_whatever_comes(value, text):
    assert values.text({"name": value}, "name") == text


def test_a_missing_text_is_empty():
    assert values.text({}, "name") == ""


def test_a_key_is_never_cut():
    with pytest.raises(RecordError, match="partner_key is longer than 255") as caught:
        values.key({"partner_key": "x" * 256}, "partner_key")
    assert caught.value.field == "partner_key"


@pytest.mark.parametrize(
    ("value", "number"),
    [
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
def test_an_integer_is_whole_or_none(value, number):
    assert values.integer({"amount": value}, "amount") == number


@pytest.mark.parametrize("value", [2**63, -(2**63) - 1, 1e300, "9" * 19])
def test_an_integer_that_no_column_holds_is_refused(value):
    with pytest.raises(RecordError, match="amount is a number of more than 64 bits"):
        values.integer({"amount": value}, "amount")


@pytest.mark.parametrize(
    ("value", "answer"),
    [(True, True), ("true", True), ("False", False), (1, None), ("yes", None), (None, None)],
)
def test_a_flag_is_true_false_or_unknown(value, answer):
    assert values.flag({"test": value}, "test") is answer


@pytest.mark.parametrize(
    ("item", "answer"),
    [({}, False), ({"archived": "false"}, False), ({"archived": True}, True), ({"is_archived": True}, True)],
)
def test_archived_has_two_names(item, answer):
    assert values.archived(item) is answer


@pytest.mark.parametrize("value", [1_700_000_000_123, "1700000000123", 1_700_000_000_123.0])
def test_a_moment_is_utc(value):
    moment = values.moment({"created_at": value}, "created_at")
    assert moment == datetime(2023, 11, 14, 22, 13, 20, 123_000, tzinfo=timezone.utc)


@pytest.mark.parametrize("value", [None, True, -1, 10**15, 1e308, float("nan"), "2023-11-14", "", {}, []])
def test_a_moment_that_is_none_is_none(value):
    assert values.moment({"created_at": value}, "created_at") is None


@given(st.integers(0, values.LAST_MS - 1))
def test_moments_are_exact_to_the_millisecond(value):
    moment = values.moment({"at": value}, "at")
    assert (moment - values.EPOCH) // values.MILLISECOND == value
