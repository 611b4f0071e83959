import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from django_partnerstack.client import parsing
from django_partnerstack.client.parsing import Malformed, load


def test_a_body_gives_its_json():
    assert load(b'{"data": {"key": "cus_1"}}') == {"data": {"key": "cus_1"}}


@pytest.mark.parametrize("body", [b"", b"  \n", b"<html>", b"{", b'{"a": 1}x', b"\xff\xfe"])
def test_what_is_not_json_is_malformed(body):
    with pytest.raises(Malformed, match="is the URL right"):
        load(body)


@pytest.mark.parametrize("number", [b"NaN", b"Infinity", b"-Infinity", b"1e999", b"-1e999", b"1" * 5000])
def test_a_number_that_no_database_holds_is_malformed(number):
    with pytest.raises(Malformed):
        load(b'{"a": %s}' % number)


def test_nesting_without_end_is_malformed():
    with pytest.raises(Malformed, match="nested too deep"):
        load(b"[" * 200_000)


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (rb'"a\u0000b"', "a\ufffdb"),
        (b'"a\0b"', "a\ufffdb"),
        (rb'"\ud800"', "\ufffd"),
        (rb'"\uDFFFx"', "\ufffdx"),
        (b'"\xed\xa0\x80"', "\ufffd\ufffd\ufffd"),
        (b'"\xff"', "\ufffd"),
        (rb'"\ud83d\ude00"', "\U0001f600"),
        (rb'"\\u0000"', r"\u0000"),
        (b'\xef\xbb\xbf"bom"', "bom"),
    ],
)
def test_every_text_can_be_stored(body, text):
    assert load(body) == text


def test_names_are_cleaned_as_well_as_values():
    assert load(rb'{"\u0000": [{"a": "\u0000"}]}') == {"\ufffd": [{"a": "\ufffd"}]}


@given(
    st.recursive(
        st.none() | st.booleans() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
)
def test_json_that_can_be_stored_comes_out_as_it_went_in(value):
    clean = json.loads(json.dumps(value).replace("\\u0000", "\\ufffd"))
    assert load(json.dumps(value).encode()) == clean or "\\u0000" in json.dumps(value)


@given(st.binary())
def test_any_bytes_are_json_or_malformed(body):
    try:
        found = load(body)
    except Malformed:
        return
    json.dumps(found, allow_nan=False).encode("utf-8")


def test_both_envelopes_are_read():
    assert parsing.data({"data": [1]}) == parsing.data({"rdata": [1]}) == [1]


def test_a_message_alone_has_no_data():
    assert parsing.data({"message": "archived", "status": 200}) is None


@pytest.mark.parametrize("document", [[], "x", None, 5])
def test_an_answer_that_is_no_object_is_malformed(document):
    with pytest.raises(Malformed):
        parsing.data(document)


@pytest.mark.parametrize(
    ("value", "status"), [(404, 404), ("404", 404), (None, None), (True, None), ("ok", None), ("4 4", None)]
)
def test_the_status_may_be_a_number_or_a_text(value, status):
    assert parsing.status({"status": value}) == status


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ({"message": "a", "error": "b"}, "a"),
        ({"message": " ", "error": "b"}, "b"),
        ({"error": 5}, ""),
        ([], ""),
    ],
)
def test_the_message_is_preferred_to_the_error(document, words):
    assert parsing.words(document) == words
