import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from django_partnerstack import exceptions
from django_partnerstack.client.credentials import Keys, Scrubber
from django_partnerstack.client.records import CustomerRecord
from django_partnerstack.client.replies import (
    Malformed,
    Reply,
    envelope_data,
    envelope_status,
    load,
    parse_response,
    retry_after,
)
from django_partnerstack.client.resources.base import read_page
from django_partnerstack.exceptions import PartnerStackError, UnusableReply

from .conftest import PUBLIC, SECRET

NOW = 1_700_000_000.0  # Tue, 14 Nov 2023 22:13:20 GMT
SCRUB = Scrubber(Keys(PUBLIC, SECRET))


def read(status=200, body=b"", headers=None, convert=lambda data: data, method="GET", **options):
    if not isinstance(body, bytes):
        body = json.dumps(body).encode()
    reply = Reply(method, "/customers", status, headers or {}, body)
    return parse_response(reply, convert, scrub=SCRUB, now=NOW, **options)


@pytest.mark.parametrize("status", [200, 201, 202])
def test_any_2xx_gives_the_data(status):
    assert read(status, {"data": {"key": "cus_1"}, "message": "ok", "status": 200}) == {"key": "cus_1"}


def test_version_1_gives_its_data():
    assert read(body={"rdata": {"id": 1}, "message": "ok", "status": 200}) == {"id": 1}


def test_204_gives_none():
    assert read(204) is None


@pytest.mark.parametrize(
    ("status", "error", "consequence"),
    [
        (302, "UnusableReply", "retryable and in_doubt"),
        (400, "BadRequest", "final"),
        (401, "AuthenticationFailed", "final"),
        (403, "Forbidden", "final"),
        (404, "NotFound", "final"),
        (409, "Conflict", "final"),
        (418, "BadRequest", "final"),
        (422, "BadRequest", "final"),
        (429, "RateLimited", "retryable"),
        (500, "ServerError", "retryable and in_doubt"),
        (503, "ServerError", "retryable and in_doubt"),
    ],
)
def test_the_status_decides_the_error_and_whether_to_retry(status, error, consequence):
    with pytest.raises(getattr(exceptions, error)) as caught:
        read(status)
    assert caught.value.retryable == ("retryable" in consequence)
    assert caught.value.in_doubt == ("in_doubt" in consequence)


def test_an_error_has_status_message_and_headers():
    with pytest.raises(exceptions.BadRequest, match="GET /customers: 400 No luck") as caught:
        read(400, {"message": "No luck", "status": 400}, {"X-Request-Id": "r1"})
    assert (caught.value.status, caught.value.message) == (400, "No luck")
    assert caught.value.headers["x-request-id"] == "r1"


@pytest.mark.parametrize("status", [404, "404"])
def test_a_2xx_with_an_error_status_in_its_body_is_an_error(status):
    with pytest.raises(exceptions.NotFound, match="404 gone"):
        read(200, {"message": "gone", "status": status})


@pytest.mark.parametrize(
    "message",
    [
        "Customer already exists",
        "customer_key must be unique",
        "Duplicate key",
        "partner_key is taken",
        "A customer with this key exists",
    ],
)
@pytest.mark.parametrize("status", [400, 422])
def test_a_message_about_an_existing_object_is_a_conflict(status, message):
    with pytest.raises(exceptions.Conflict):
        read(status, {"message": message})


@pytest.mark.parametrize(
    "message",
    [
        "Partner does not exist",
        "No customer exists with this key",
        "'unique_identifier' is a required property",
    ],
)
def test_a_message_about_a_missing_object_is_not_a_conflict(message):
    with pytest.raises(exceptions.BadRequest):
        read(400, {"message": message})


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_is_unusable(status):
    with pytest.raises(UnusableReply, match="redirect"):
        read(status, headers={"Location": "https://example.com/"})


@pytest.mark.parametrize("body", [b"", b"<html>hello</html>", b"[]", b"null"])
def test_a_2xx_without_an_envelope_is_unusable(body):
    with pytest.raises(UnusableReply, match="GET /customers: 200"):
        read(200, body)


def test_a_body_may_be_empty_if_the_caller_says_so():
    assert read(200, b" ", may_be_empty=True) is None


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"<html>\n <h1>Bad   gateway</h1>\n</html>", "<html> <h1>Bad gateway</h1> </html>"),
        ({"message": "a", "error": "b"}, "a"),
        ({"message": " ", "error": "b"}, "b"),
        ({"error": 5}, '{"error": 5}'),
        ([], "[]"),
        (b"", "no explanation"),
        (b"x" * 1000, "x" * 300 + "…"),
    ],
)
def test_an_error_has_a_message_of_one_short_line(body, message):
    with pytest.raises(exceptions.ServerError) as caught:
        read(502, body)
    assert caught.value.message == message


def test_keys_in_a_response_are_not_shown():
    secret = f"{PUBLIC} {SECRET}"
    with pytest.raises(exceptions.ServerError) as caught:
        read(500, {"message": f"bad keys {secret}" + "x" * 300}, {"X-Echo": secret})
    assert "Canary" not in f"{caught.value} {caught.value.headers}"


def test_an_unusable_object_is_a_record_error():
    with pytest.raises(exceptions.RecordError):
        read(body={"data": {"key": None}}, convert=CustomerRecord.from_api)


def test_a_write_with_an_unusable_object_in_its_response_is_in_doubt():
    with pytest.raises(UnusableReply, match="key is missing") as caught:
        read(body={"data": {"key": None}}, convert=CustomerRecord.from_api, method="POST")
    assert caught.value.in_doubt


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("7", 7),
        (" 7 ", 7),
        ("999999", 86_400),
        ("Tue, 14 Nov 2023 22:14:20 GMT", 60),
        ("Tue, 14 Nov 2023 22:00:00 GMT", 0),
        ("Tue, 14 Nov 2099 22:00:00 GMT", 86_400),
        ("soon", None),
        ("-1", None),
        ("", None),
        ("Tue, 99 Nov 2023 22:00:00 GMT", None),
    ],
)
def test_retry_after_is_a_number_of_seconds_or_a_date(value, seconds):
    assert retry_after({"Retry-After": value}, NOW) == seconds


@pytest.mark.parametrize("status", [429, 503])
def test_the_error_has_the_seconds_of_retry_after(status):
    with pytest.raises(exceptions.ErrorReply) as caught:
        read(status, {}, {"Retry-After": "7"})
    assert caught.value.retry_after == 7


@given(
    st.integers(100, 999),
    st.binary() | st.dictionaries(st.sampled_from(["data", "status", "message"]), st.integers() | st.text()),
    st.dictionaries(st.sampled_from(["Retry-After", "X"]), st.text()),
)
def test_any_response_is_data_or_an_error_of_this_package(status, body, headers):
    with contextlib.suppress(PartnerStackError):
        read(status, body, headers, lambda data: read_page(CustomerRecord, data))


def test_a_body_is_json():
    assert load(b'{"data": {"key": "cus_1"}}') == {"data": {"key": "cus_1"}}


@pytest.mark.parametrize("body", [b"", b"  \n", b"<html>", b"{", b'{"a": 1}x', b"\xff\xfe"])
def test_a_body_that_is_not_json_is_malformed(body):
    with pytest.raises(Malformed, match="is the URL right"):
        load(body)


@pytest.mark.parametrize("number", [b"NaN", b"Infinity", b"-Infinity", b"1e999", b"-1e999", b"1" * 5000])
def test_a_number_that_no_database_can_store_is_malformed(number):
    with pytest.raises(Malformed):
        load(b'{"a": %s}' % number)


def test_nesting_that_is_too_deep_is_malformed():
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


def test_names_can_be_stored_as_well_as_values():
    assert load(rb'{"\u0000": [{"a": "\u0000"}]}') == {"\ufffd": [{"a": "\ufffd"}]}


@given(
    st.recursive(
        st.none() | st.booleans() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
)
def test_json_that_can_be_stored_is_unchanged(value):
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
    assert envelope_data({"data": [1]}) == envelope_data({"rdata": [1]}) == [1]


def test_an_envelope_with_only_a_message_has_no_data():
    assert envelope_data({"message": "archived", "status": 200}) is None


@pytest.mark.parametrize("document", [[], "x", None, 5])
def test_a_body_that_is_not_an_object_is_malformed(document):
    with pytest.raises(Malformed):
        envelope_data(document)


@pytest.mark.parametrize(
    ("value", "status"), [(404, 404), ("404", 404), (None, None), (True, None), ("ok", None), ("4 4", None)]
)
def test_the_status_in_the_envelope_is_a_number_or_text(value, status):
    assert envelope_status({"status": value}) == status
