import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from django_partnerstack import exceptions
from django_partnerstack.client.credentials import Keys, Scrubber
from django_partnerstack.client.pages import read_page
from django_partnerstack.client.records import CustomerRecord
from django_partnerstack.client.replies import Reply, retry_after, understand
from django_partnerstack.exceptions import PartnerStackError, UnusableReply

from .conftest import PUBLIC, SECRET

NOW = 1_700_000_000.0  # Tue, 14 Nov 2023 22:13:20 GMT
SCRUB = Scrubber(Keys(PUBLIC, SECRET))


def read(status=200, body=b"", headers=None, convert=lambda data: data, method="GET", **options):
    if not isinstance(body, bytes):
        body = json.dumps(body).encode()
    reply = Reply(method, "/customers", status, headers or {}, body)
    return understand(reply, convert, scrub=SCRUB, now=NOW, **options)


@pytest.mark.parametrize("status", [200, 201, 202])
def test_any_good_status_gives_the_data(status):
    assert read(status, {"data": {"key": "cus_1"}, "message": "ok", "status": 200}) == {"key": "cus_1"}


def test_version_1_gives_its_data_too():
    assert read(body={"rdata": {"id": 1}, "message": "ok", "status": 200}) == {"id": 1}


def test_an_answer_without_content_gives_nothing():
    assert read(204) is None


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, "BadRequest"),
        (401, "AuthenticationFailed"),
        (403, "Forbidden"),
        (404, "NotFound"),
        (409, "Conflict"),
        (418, "BadRequest"),
        (422, "BadRequest"),
        (429, "RateLimited"),
        (500, "ServerError"),
        (503, "ServerError"),
    ],
)
def test_each_status_has_its_error(status, error):
    with pytest.raises(getattr(exceptions, error), match=f"GET /customers: {status} No luck") as caught:
        read(status, {"message": "No luck", "status": status}, {"X-Request-Id": "r1"})
    assert (caught.value.status, caught.value.message) == (status, "No luck")
    assert caught.value.headers["x-request-id"] == "r1"


@pytest.mark.parametrize("status", [404, "404"])
def test_a_good_status_with_a_bad_one_in_its_body_is_an_error(status):
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
def test_an_error_that_speaks_of_an_existing_object_is_a_conflict(status, message):
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
def test_an_error_that_speaks_of_a_missing_object_is_no_conflict(message):
    with pytest.raises(exceptions.BadRequest):
        read(400, {"message": message})


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_is_not_an_answer(status):
    with pytest.raises(UnusableReply, match="redirect"):
        read(status, headers={"Location": "https://example.com/"})


@pytest.mark.parametrize("body", [b"", b"<html>hello</html>", b"[]", b"null"])
def test_a_good_status_without_an_envelope_is_unusable(body):
    with pytest.raises(UnusableReply, match="GET /customers: 200"):
        read(200, body)


def test_a_body_may_be_missing_where_that_is_usual():
    assert read(200, b" ", may_be_empty=True) is None


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"<html>\n <h1>Bad   gateway</h1>\n</html>", "<html> <h1>Bad gateway</h1> </html>"),
        ({"error": "from v1"}, "from v1"),
        (b"", "no explanation"),
        (b"x" * 1000, "x" * 300 + "…"),
    ],
)
def test_an_error_is_explained_in_one_short_line(body, message):
    with pytest.raises(exceptions.ServerError) as caught:
        read(502, body)
    assert caught.value.message == message


def test_keys_that_are_sent_back_are_not_shown():
    secret = f"{PUBLIC} {SECRET}"
    with pytest.raises(exceptions.ServerError) as caught:
        read(500, {"message": f"bad keys {secret}" + "x" * 300}, {"X-Echo": secret})
    assert "Canary" not in f"{caught.value} {caught.value.headers}"


def test_an_object_that_is_no_record_is_a_record_error():
    with pytest.raises(exceptions.RecordError):
        read(body={"data": {"key": None}}, convert=CustomerRecord.from_api)


def test_a_write_whose_answer_is_no_record_may_have_been_carried_out():
    with pytest.raises(UnusableReply, match="key is missing") as caught:
        read(body={"data": {"key": None}}, convert=CustomerRecord.from_api, method="POST")
    assert caught.value.ambiguous


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
def test_the_wait_that_partnerstack_asks_for_is_on_the_error(status):
    with pytest.raises(exceptions.ErrorReply) as caught:
        read(status, {}, {"Retry-After": "7"})
    assert caught.value.retry_after == 7


@given(
    st.integers(100, 999),
    st.binary() | st.dictionaries(st.sampled_from(["data", "status", "message"]), st.integers() | st.text()),
    st.dictionaries(st.sampled_from(["Retry-After", "X"]), st.text()),
)
def test_any_answer_is_data_or_an_error_of_ours(status, body, headers):
    with contextlib.suppress(PartnerStackError):
        read(status, body, headers, lambda data: read_page(CustomerRecord, data))
