"""Which click a request belongs to, by all that it brings along."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from django.http import HttpRequest
from django.test import override_settings
from django.urls import resolve
from hypothesis import given
from hypothesis import strategies as st

from django_partnerstack import attribution
from django_partnerstack.attribution import TOKEN_FIELD, TOKEN_HEADER, Visit, cookie, encode, visit_of
from django_partnerstack.models import AttributionMethod

from .clicks import CLICK, COOKIE, came_by, click, link, request, signed
from .lengths import a_run_of_visitors

FORM = "application/x-www-form-urlencoded"


def credited(request: HttpRequest, **options: Any) -> tuple[str, str, str]:
    visit = visit_of(request, **options)
    return visit.method, visit.clicks[0].click_id, visit.clicks[0].partner_key


def theirs(**cookies: str) -> HttpRequest:
    return request(cookies=cookies)


def token_of(*clicks: attribution.Click) -> str:
    return attribution.token(came_by(*clicks))


def test_the_link_of_the_same_request_goes_before_the_cookie() -> None:
    visit = visit_of(came_by(click("a", "partner-a"), query=link("b", "partner-b")))
    assert [each.click_id for each in visit.clicks] == ["b", "a"]
    assert visit.method == AttributionMethod.LINK


def test_a_form_on_the_landing_page_is_no_other_click() -> None:
    made = click("a", "partner-a", path="/pricing/")
    visit = visit_of(came_by(made, query=link("a", "partner-a"), method="POST"))
    assert visit == Visit((made,), AttributionMethod.COOKIE)


def test_an_older_landing_page_does_not_undo_a_later_click() -> None:
    clicks = (click("b", "partner-b"), click("a", "partner-a"))
    assert credited(came_by(*clicks, query=link("a", "partner-a"))) == ("cookie", "b", "partner-b")


def test_the_cookie_counts_on_any_later_request() -> None:
    assert credited(came_by(click(), method="POST")) == ("cookie", CLICK, "troycooper1364")


@pytest.mark.parametrize(("cookie_days", "token_days", "method"), [(2, 1, "token"), (1, 2, "cookie")])
def test_of_a_cookie_and_a_token_the_later_click_counts(
    cookie_days: int, token_days: int, method: str
) -> None:
    now = datetime.now(timezone.utc)
    in_cookie = click("in-cookie", at=now - timedelta(days=cookie_days))
    in_token = click("in-token", at=now - timedelta(days=token_days))
    assert credited(came_by(in_cookie), token=token_of(in_token))[:2] == (method, f"in-{method}")


def test_a_token_comes_as_argument_header_or_form_field() -> None:
    token = token_of(click())
    header = {f"HTTP_{TOKEN_HEADER.upper().replace('-', '_')}": token}
    expected = ("token", CLICK, "troycooper1364")
    assert credited(request(), token=token) == expected
    assert credited(request(**header)) == expected
    form = request(method="POST", data=f"{TOKEN_FIELD}={token.replace('+', '%2B')}", content_type=FORM)
    assert credited(form) == expected


def test_a_token_is_enough_where_there_is_no_request() -> None:
    visit = visit_of(None, token_of(click()))
    assert (visit.method, visit.clicks[0].click_id) == ("token", CLICK)
    assert visit_of(None).reason.startswith("The visitor brought no click")


def test_without_a_click_there_is_no_token() -> None:
    assert attribution.token(request()) == ""


def test_a_cookie_is_no_token_and_a_token_no_cookie() -> None:
    assert not visit_of(request(), cookie.dumps((click(),))).clicks
    assert not visit_of(request(cookies={COOKIE: token_of(click())})).clicks


@pytest.mark.parametrize(
    "token",
    ["x", "\0", "a" * 5000, signed([1]), signed("x", salt="other")],
    ids=["short", "nul", "long", "no clicks", "other salt"],
)
def test_a_token_that_is_none_is_ignored(token: str) -> None:
    assert not visit_of(request(), token).clicks


@pytest.mark.parametrize(
    ("cookies", "click_id", "partner_key"),
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
def test_partnerstacks_own_cookies_are_read(cookies: dict[str, str], click_id: str, partner_key: str) -> None:
    assert credited(theirs(**cookies)) == ("partnerstack", click_id, partner_key)


def test_a_partner_key_in_a_cookie_is_decoded_already() -> None:
    looks_encoded = encode("troycooper1364")
    assert credited(theirs(ps_partner_key=looks_encoded))[2] == looks_encoded
    assert credited(request(f"ps_partner_key={looks_encoded}"))[2] == "troycooper1364"


def test_this_sites_cookie_goes_before_theirs() -> None:
    found = came_by(click())
    found.COOKIES["ps_xid"] = "theirs"
    assert credited(found)[:2] == ("cookie", CLICK)


def test_theirs_go_before_a_key_that_cannot_be_read() -> None:
    found = request("gspk=Nzg0ZGsdsZWYyMWRi", cookies={"growSumoPartnerKey": "partner"})
    assert credited(found) == ("partnerstack", "", "partner")


def test_a_key_that_cannot_be_read_is_noted() -> None:
    visit = visit_of(request("gspk=Nzg0ZGsdsZWYyMWRi"))
    assert (visit.method, visit.clicks[0].unread_key) == ("link", "Nzg0ZGsdsZWYyMWRi")


def test_in_production_the_test_partner_is_ignored() -> None:
    found = came_by(click("a", "gstest"), click("b", "partner-b"))
    assert credited(found)[1] == "a"
    with override_settings(PARTNERSTACK_MODE="production"):
        assert credited(found)[1] == "b"
        assert "IGNORED_PARTNERS" in visit_of(request(link("a", "gstest"))).reason


@override_settings(PARTNERSTACK_ATTRIBUTION_IGNORED_PARTNERS=["our-own"])
def test_the_site_says_whom_it_ignores() -> None:
    assert not visit_of(theirs(growSumoPartnerKey="our-own")).clicks
    assert not visit_of(request(), token_of(click("a", "our-own"))).clicks
    assert credited(came_by(click("a", "gstest"), query=link("b", "our-own")))[1] == "a"


@override_settings(PARTNERSTACK_ATTRIBUTION_CONSENT="tests.attribution.clicks.refuse")
def test_without_consent_nothing_is_read() -> None:
    found = came_by(click(), query=link())
    found.COOKIES["ps_xid"] = "theirs"
    assert visit_of(found, token_of(click())) == Visit(reason="The visitor has not consented.")


def test_what_staff_make_in_the_admin_was_sent_by_nobody() -> None:
    found = came_by(click())
    found.resolver_match = resolve("/admin/shop/account/add/")
    assert visit_of(found) == Visit(reason="Made in the admin.")


def test_a_body_that_was_read_as_a_stream_is_left_alone() -> None:
    found = came_by(click(), method="POST", data="{}", content_type="application/json")
    assert found.read() == b"{}"
    assert credited(found)[:2] == ("cookie", CLICK)


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("multipart/form-data", b"x"),
        ("multipart/form-data; boundary=x", b"--x\r\nContent-Disposition: nothing\r\n"),
        (FORM + "; charset=latin-1", b"a=b"),
        (FORM, b"&".join(b"a=%d" % number for number in range(1001))),
        (FORM, b"a=" + b"b" * 2_700_000),
        ("multipart/form-data; boundary=é", b"x"),
    ],
    ids=["no boundary", "broken part", "another charset", "many fields", "too large", "odd boundary"],
)
def test_a_body_that_is_no_form_is_no_error(content_type: str, body: bytes) -> None:
    found = came_by(click(), method="POST", data=body, content_type=content_type)
    assert credited(found)[:2] == ("cookie", CLICK)


def test_more_parameters_than_django_reads_are_no_error() -> None:
    found = request(link() + "&a=1" * 1001)
    assert visit_of(found).clicks == ()


headers = st.dictionaries(
    st.sampled_from([COOKIE, "ps_xid", "gsxid", "ps_partner_key", "growSumoPartnerKey", "_ps_xid_a_b"]),
    st.text(),
)


@a_run_of_visitors
@given(st.binary().map(lambda raw: raw.decode("latin-1")), headers, st.text())
def test_whatever_a_visitor_sends_is_no_error(query: str, cookies: dict[str, str], token: str) -> None:
    found = request(cookies=cookies)
    found.META["QUERY_STRING"] = f"ps_xid={query}&gspk={query}"
    for each in visit_of(found, token).clicks:
        assert not each.names_nobody or each.unread_key
