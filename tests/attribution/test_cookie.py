"""The cookie that keeps a visitor's clicks."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from django.core import signing
from django.http import HttpResponse
from django.test import override_settings
from hypothesis import given
from hypothesis import strategies as st

from django_partnerstack.attribution import Click, cookie

from .clicks import CLICK, COOKIE, click, request, signed
from .lengths import a_run_of_histories, a_run_of_visitors

PACKED = [CLICK, "troycooper1364", "", "", "/", 1_790_000_000]


def of_now() -> list[Any]:
    return [*PACKED[:-1], int(datetime.now(timezone.utc).timestamp())]


def saved(*clicks: Click, secure: bool = True) -> Any:
    response = HttpResponse()
    cookie.save(response, clicks or (click(),), request(secure=secure))
    return response.cookies[COOKIE]


def test_what_is_kept_comes_back() -> None:
    clicks = (click(link_host="get.site.example"), click("b", "", unread_key="Nzg0", path="/ы/"))
    assert cookie.loads(cookie.dumps(clicks)) == clicks


def test_only_the_server_reads_it_and_only_on_https() -> None:
    morsel = saved()
    assert (morsel["httponly"], morsel["secure"], morsel["samesite"]) == (True, True, "Lax")
    assert (morsel["path"], morsel["domain"], morsel["max-age"]) == ("/", "", 90 * 86400)


def test_it_is_sent_without_https_in_development_alone() -> None:
    assert saved(secure=False)["secure"]
    with override_settings(DEBUG=True):
        assert not saved(secure=False)["secure"]
        assert saved(secure=True)["secure"]


@override_settings(
    PARTNERSTACK_ATTRIBUTION_COOKIE="came_by",
    PARTNERSTACK_ATTRIBUTION_DOMAIN=".site.example",
    PARTNERSTACK_ATTRIBUTION_DAYS=30,
)
def test_name_domain_and_days_are_the_sites() -> None:
    response = HttpResponse()
    cookie.save(response, (click(),), request())
    morsel = response.cookies["came_by"]
    assert (morsel["domain"], morsel["max-age"]) == (".site.example", 30 * 86400)


@pytest.mark.parametrize("place", range(0, 60, 7))
def test_a_tampered_cookie_is_ignored(place: int) -> None:
    text = cookie.dumps((click(),))
    other = "B" if text[place] == "A" else "A"
    assert cookie.loads(text[:place] + other + text[place + 1 :]) == ()


@pytest.mark.parametrize(
    "text",
    [
        signed([of_now()], key="another key"),
        signed([of_now()], salt="another salt"),
        signed([of_now()], salt="django_partnerstack.attribution.token"),
        signed([of_now()], days_ago=91),
        signed([[*PACKED[:-1], 0]]),
        signed([of_now()] * 5)[:-1],
        "",
        "a" * 4001,
        "\0:é:=",
    ],
    ids=["key", "salt", "a token", "expired", "old click", "cut", "empty", "oversized", "junk"],
)
def test_what_is_not_ours_or_too_old_is_ignored(text: str) -> None:
    assert cookie.loads(text) == ()


@pytest.mark.parametrize(
    "value",
    [
        None, 1, "text", {}, {"a": 1}, [[]], [1], ["abcdef"], [of_now()[:-1]], [[*of_now(), 1]],
        [[1, *of_now()[1:]]], [[*PACKED[:-1], "1790000000"]], [[*PACKED[:-1], None]],
        [[*PACKED[:-1], 1e300]], [[*PACKED[:-1], -1e18]], [[*PACKED[:-1], 67768036191694560]],
    ],
    ids=lambda value: re.sub(r"17\d{8}", "now", str(value)),
)  # fmt: skip
def test_what_is_ours_and_of_another_shape_is_ignored(value: Any) -> None:
    assert cookie.loads(signed(value)) == ()


def test_a_text_of_the_right_shape_is_taken() -> None:
    assert [each.click_id for each in cookie.loads(signed([of_now()], days_ago=89))] == [CLICK]


def test_an_oversized_text_of_ours_is_ignored() -> None:
    clicks = [[signing.dumps(number), "", "", "", "/", of_now()[-1]] for number in range(200)]
    assert len(signed(clicks)) > cookie.LONGEST
    assert cookie.loads(signed(clicks)) == ()


def test_clicks_that_are_too_old_are_left_out() -> None:
    old = click("old", at=datetime.now(timezone.utc) - timedelta(days=91))
    assert [each.click_id for each in cookie.loads(cookie.dumps((click(), old)))] == [CLICK]


def test_a_key_that_was_replaced_lately_still_counts() -> None:
    text = signed([of_now()], key="the key before")
    with override_settings(SECRET_KEY_FALLBACKS=["the key before"]):
        assert [each.click_id for each in cookie.loads(text)] == [CLICK]


printable = st.characters(exclude_categories=["C", "Z"], include_characters=" ")
words = st.text(printable, max_size=255)
clicks_of_any_size = st.lists(
    st.builds(
        click,
        click_id=st.from_regex(r"[A-Za-z0-9_-]{0,64}", fullmatch=True),
        partner_key=words,
        unread_key=words,
        link_host=st.from_regex(r"[A-Za-z0-9.-]{0,240}", fullmatch=True),
        path=words,
    ),
    min_size=1,
    max_size=8,
)


@a_run_of_histories
@given(clicks_of_any_size)
def test_however_much_there_is_to_keep_the_cookie_fits_and_holds_the_newest(clicks: list[Click]) -> None:
    text = cookie.dumps(clicks)
    assert len(f"{COOKIE}={text}") <= 4096
    kept = cookie.loads(text)
    assert (kept[0].click_id, kept[0].partner_key) == (clicks[0].click_id, clicks[0].partner_key)
    assert kept[1:] == tuple(clicks[1 : len(kept)])


@a_run_of_visitors
@given(st.one_of(st.text(), st.binary().map(lambda raw: raw.decode("latin-1"))))
def test_no_cookie_whatever_is_an_error(text: str) -> None:
    assert cookie.loads(text) == ()


json_values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text()),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


@a_run_of_histories
@given(st.one_of(json_values, st.lists(st.tuples(*[st.text(max_size=3)] * 5, st.integers() | st.floats()))))
def test_no_signed_text_whatever_is_an_error(value: Any) -> None:
    assert isinstance(cookie.loads(signed(value)), tuple)
