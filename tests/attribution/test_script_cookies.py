"""The cookies of scripts on pages of other stacks: PartnerStack's, and that of landing.js."""

from __future__ import annotations

from datetime import datetime, timezone

import pytest
from django.test import override_settings
from hypothesis import given
from hypothesis import strategies as st

from django_partnerstack.attribution import clicked, encode, script_cookies

from .clicks import CLICK, request
from .lengths import a_run_of_visitors

NOW = int(datetime.now(timezone.utc).timestamp())


def landed(text: str) -> list[tuple[str, str, int]]:
    """Click ID, partner key and age at NOW, in minutes, of each click in the cookie of landing.js."""
    found = script_cookies.dated(request(cookies={"partnerstack_clicks": text}))
    return [(each.click_id, each.partner_key, max(0, NOW - int(each.at.timestamp())) // 60) for each in found]


@pytest.mark.parametrize(
    ("sent", "click_id", "partner_key"),
    [
        ({"ps_xid": "new", "gsxid": "old"}, "new", ""),
        ({"gsxid": "old"}, "old", ""),
        ({"ps_partner_key": "new", "growSumoPartnerKey": "old"}, "", "new"),
        ({"growSumoPartnerKey": "old", "ps_xid": "x"}, "x", "old"),
        ({"_ps_xid_acme_1a2b": "named"}, "named", ""),
        ({"_ps_xid_acme_1a2b": "named", "ps_xid": "plain"}, "plain", ""),
        ({"ps_partner_key": "caf%C3%A9"}, "", "café"),
        ({"ps_xid": "no id", "gsxid": "old"}, "old", ""),
    ],
)
def test_partnerstacks_own_cookies_are_read(sent: dict[str, str], click_id: str, partner_key: str) -> None:
    found = script_cookies.undated(request(cookies=sent))
    assert found is not None
    assert (found.click_id, found.partner_key) == (click_id, partner_key)


def test_a_partner_key_in_partnerstacks_cookie_is_not_decoded_again() -> None:
    looks_encoded = encode("troycooper1364")
    in_cookie = script_cookies.undated(request(cookies={"ps_partner_key": looks_encoded}))
    in_link = clicked(request(f"ps_partner_key={looks_encoded}"))
    assert in_cookie is not None
    assert in_link is not None
    assert (in_cookie.partner_key, in_link.partner_key) == (looks_encoded, "troycooper1364")


def test_the_cookie_of_landing_js_contains_clicks_with_their_times() -> None:
    text = f"{NOW - 60}.b.{encode('partner-b')}~{NOW - 120}.{CLICK}.~{NOW - 180}..{encode('partner-a')}"
    assert landed(text) == [("b", "partner-b", 1), (CLICK, "", 2), ("", "partner-a", 3)]


@pytest.mark.parametrize(
    "entry", ["", "1.2", "x.a.", "now..", "now.a b.", "now.a.é", "-now.a.", "nownow.a.", "now..AAEC"]
)
def test_an_entry_that_is_not_a_click_is_omitted(entry: str) -> None:
    assert landed(f"{entry}~now.a.".replace("now", str(NOW))) == [("a", "", 0)]


def test_a_clock_that_is_ahead_gives_a_click_of_now_and_the_order_is_that_of_the_times() -> None:
    assert landed(f"{NOW - 600}.old.~{NOW + 86400 * 400}.ahead.") == [("ahead", "", 0), ("old", "", 10)]


def test_clicks_that_are_too_old_are_omitted() -> None:
    assert landed(f"{NOW - 91 * 86400}.a.") == []
    with override_settings(PARTNERSTACK_ATTRIBUTION_DAYS=100):
        assert len(landed(f"{NOW - 91 * 86400}.a.")) == 1


def test_a_huge_cookie_is_not_read_and_at_most_five_clicks_are() -> None:
    assert landed("~".join(f"{NOW}.c{number}." for number in range(4000))) == []
    assert len(landed("~".join(f"{NOW}.c{number}." for number in range(40)))) == 5


def test_the_marks_change_with_the_clicks_and_with_nothing_else() -> None:
    marks = [
        script_cookies.marks(request(cookies=sent))
        for sent in (
            {},
            {"sessionid": "x"},
            {"ps_xid": "a"},
            {"ps_xid": "a", "sessionid": "x"},
            {"ps_xid": "b"},
            {"ps_xid": "b", "ps_partner_key": "partner-b"},
            {"ps_xid": "b", "partnerstack_clicks": f"{NOW}.b."},
        )
    ]
    assert marks[0] == marks[1] == ("", "")
    assert marks[2] == marks[3]
    assert len(set(marks)) == 5


@a_run_of_visitors
@given(st.text() | st.from_regex(r"([0-9]{0,12}\.[a-z]{0,3}\.[A-Za-z0-9_-]{0,9}~?){0,8}", fullmatch=True))
def test_no_text_in_a_cookie_is_an_error(text: str) -> None:
    for each in script_cookies.dated(request(cookies={"partnerstack_clicks": text})):
        assert each.is_attributable
        assert each.at <= datetime.now(timezone.utc)
