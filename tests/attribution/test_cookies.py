"""The cookies that carry a visitor's clicks: this site's own and PartnerStack's."""

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

from django_partnerstack.attribution import Click, cookies

from .clicks import CLICK, COOKIE, click, request, signed
from .lengths import a_run_of_histories, a_run_of_visitors

TEXTS = [CLICK, "troycooper1364", "", "", "/"]
PACKED = [*TEXTS, 1_790_000_000, 1]


def of_now() -> list[Any]:
    return [*TEXTS, int(datetime.now(timezone.utc).timestamp()), 1]


def saved(*clicks: Click, secure: bool = True) -> Any:
    response = HttpResponse()
    cookies.save(response, cookies.Stored(clicks or (click(),)), request(secure=secure))
    return response.cookies[COOKIE]


def test_stored_clicks_are_read_back() -> None:
    clicks = (click(link_host="get.site.example"), click("b", "", unread_key="Nzg0", path="/ы/"))
    assert cookies.loads(cookies.dumps(clicks)) == clicks


def test_what_the_cookies_of_scripts_contained_is_stored_beside_the_clicks() -> None:
    response = HttpResponse()
    stored = cookies.Stored((click(),), seen="a mark of each")
    cookies.save(response, stored, request())
    assert cookies.load(request(cookies={COOKIE: response.cookies[COOKIE].value})) == stored


def test_only_the_server_can_read_it_and_only_over_https() -> None:
    morsel = saved()
    assert (morsel["httponly"], morsel["secure"], morsel["samesite"]) == (True, True, "Lax")
    assert (morsel["path"], morsel["domain"], morsel["max-age"]) == ("/", "", 90 * 86400)


def test_it_is_sent_without_https_only_in_development() -> None:
    assert saved(secure=False)["secure"]
    with override_settings(DEBUG=True):
        assert not saved(secure=False)["secure"]
        assert saved(secure=True)["secure"]


@pytest.mark.parametrize(
    ("own", "session", "same_site"),
    [
        ("", "Lax", "Lax"),
        ("", "None", "None"),
        ("", "Strict", "Lax"),
        ("", False, "Lax"),
        ("None", "Lax", "None"),
        ("Lax", "None", "Lax"),
    ],
)
def test_it_is_sent_with_posts_of_other_sites_only_if_the_site_or_its_session_cookie_says_so(
    own: str, session: Any, same_site: str
) -> None:
    options = {"PARTNERSTACK_ATTRIBUTION_SAMESITE": own, "SESSION_COOKIE_SAMESITE": session}
    with override_settings(DEBUG=True, **options):
        morsel = saved(secure=False)
    assert (morsel["samesite"], bool(morsel["secure"])) == (same_site, same_site == "None")


@override_settings(
    PARTNERSTACK_ATTRIBUTION_COOKIE="came_by",
    PARTNERSTACK_ATTRIBUTION_DOMAIN=".site.example",
    PARTNERSTACK_ATTRIBUTION_DAYS=30,
)
def test_the_site_can_choose_name_domain_and_days() -> None:
    response = HttpResponse()
    cookies.save(response, cookies.Stored((click(),)), request())
    morsel = response.cookies["came_by"]
    assert (morsel["domain"], morsel["max-age"]) == (".site.example", 30 * 86400)


@pytest.mark.parametrize("place", range(0, 60, 7))
def test_a_tampered_cookie_is_ignored(place: int) -> None:
    text = cookies.dumps((click(),))
    other = "B" if text[place] == "A" else "A"
    assert cookies.loads(text[:place] + other + text[place + 1 :]) == ()


@pytest.mark.parametrize(
    "text",
    [
        signed(["", of_now()], key="another key"),
        signed(["", of_now()], salt="another salt"),
        signed(["", of_now()], salt="django_partnerstack.attribution.token"),
        signed(["", of_now()], days_ago=91),
        signed(["", [*TEXTS, 0, 1]]),
        signed(["", *[of_now()] * 5])[:-1],
        "",
        "a" * 4001,
        "\0:é:=",
    ],
    ids=["key", "salt", "a token", "expired", "old click", "cut", "empty", "oversized", "junk"],
)
def test_a_cookie_that_this_site_did_not_sign_or_that_is_too_old_is_ignored(text: str) -> None:
    assert cookies.loads(text) == ()


@pytest.mark.parametrize(
    "value",
    [
        None, 1, "text", {}, {"a": 1}, [], [[]], [1], ["", "abcdefg"], ["", of_now()[:-1]],
        ["", [*of_now(), 1]],
        ["", [1, *of_now()[1:]]], ["", [*TEXTS, "1790000000", 1]], ["", [*TEXTS, None, 1]], [1, of_now()],
        ["", [*TEXTS, 1e300, 1]], ["", [*TEXTS, -1e18, 1]], ["", [*TEXTS, 67768036191694560, 1]], [of_now()],
    ],
    ids=lambda value: re.sub(r"17\d{8}", "now", str(value)),
)  # fmt: skip
def test_a_signed_value_of_another_shape_is_ignored(value: Any) -> None:
    assert cookies.loads(signed(value)) == ()


def test_a_signed_value_of_the_right_shape_is_accepted() -> None:
    assert [each.click_id for each in cookies.loads(signed(["", of_now()], days_ago=89))] == [CLICK]


def test_a_signed_text_that_is_too_long_is_ignored() -> None:
    value = ["", *([signing.dumps(number), "", "", "", "/", *of_now()[-2:]] for number in range(200))]
    assert len(signed(value)) > cookies.MAX_LENGTH
    assert cookies.loads(signed(value)) == ()


def test_a_click_from_the_future_counts_as_one_of_now() -> None:
    ahead = click(at=datetime.now(timezone.utc) + timedelta(hours=1))
    [found] = cookies.loads(cookies.dumps((ahead,)))
    assert abs(found.at - datetime.now(timezone.utc)) < timedelta(minutes=1)


def test_it_is_remembered_that_the_time_of_a_click_is_not_known() -> None:
    [undated, dated] = cookies.loads(cookies.dumps((click(at_is_known=False), click("b"))))
    assert (undated.at_is_known, dated.at_is_known) == (False, True)


def test_clicks_that_are_too_old_are_omitted() -> None:
    old = click("old", at=datetime.now(timezone.utc) - timedelta(days=91))
    assert [each.click_id for each in cookies.loads(cookies.dumps((click(), old)))] == [CLICK]


def test_a_cookie_signed_with_a_fallback_secret_key_is_accepted() -> None:
    text = signed(["", of_now()], key="the key before")
    with override_settings(SECRET_KEY_FALLBACKS=["the key before"]):
        assert [each.click_id for each in cookies.loads(text)] == [CLICK]


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
def test_a_cookie_of_any_clicks_fits_and_contains_the_newest(clicks: list[Click]) -> None:
    text = cookies.dumps(clicks)
    assert len(f"{COOKIE}={text}") <= 4096
    stored = cookies.loads(text)
    assert (stored[0].click_id, stored[0].partner_key) == (clicks[0].click_id, clicks[0].partner_key)
    assert stored[1:] == tuple(clicks[1 : len(stored)])


@a_run_of_visitors
@given(st.one_of(st.text(), st.binary().map(lambda raw: raw.decode("latin-1"))))
def test_no_text_in_a_cookie_is_an_error(text: str) -> None:
    assert cookies.loads(text) == ()


json_values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text()),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


@a_run_of_histories
@given(
    st.one_of(
        json_values,
        st.lists(st.tuples(*[st.text(max_size=3)] * 5, st.integers() | st.floats(), st.integers())).map(
            lambda clicks: ["", *clicks]
        ),
    )
)
def test_no_signed_value_is_an_error(value: Any) -> None:
    assert isinstance(cookies.loads(signed(value)), tuple)
