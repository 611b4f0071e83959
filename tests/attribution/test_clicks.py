"""Which click counts, of all that a visitor brings."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta, timezone
from itertools import permutations
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import override_settings
from django.urls import resolve
from hypothesis import given
from hypothesis import strategies as st

from django_partnerstack import attribution
from django_partnerstack.attribution import TOKEN_FIELD, TOKEN_HEADER, Click, Visit, cookies, visit_of
from django_partnerstack.attribution.history import LENGTH as HISTORY_LENGTH
from django_partnerstack.attribution.history import add_click
from django_partnerstack.models import AttributionMethod

from .clicks import CLICK, COOKIE, came_by, click, link, request, signed
from .lengths import a_run_of_journeys, a_run_of_visitors

FORM = "application/x-www-form-urlencoded"


class Browser:
    """Keeps cookies. Opens pages of a site with the middleware."""

    def __init__(self, cookies: dict[str, str] | None = None) -> None:
        self.cookies = cookies or {}

    def open(self, query: str = "", **options: Any) -> HttpResponse:
        found = request(query, cookies=self.cookies, **options)
        response = attribution.remember(found, HttpResponse())
        self.cookies |= {name: morsel.value for name, morsel in response.cookies.items()}
        return response

    def run_landing_js(self, click_id: str) -> None:
        """What landing.js does on a page of another stack. Its own tests show that."""
        before = self.cookies.get("partnerstack_clicks", "")
        entries = [entry for entry in before.split("~") if entry]
        if any(entry.split(".")[1] == click_id for entry in entries):
            return
        entry = f"{int(datetime.now(timezone.utc).timestamp())}.{click_id}."
        self.cookies |= {"ps_xid": click_id, "partnerstack_clicks": "~".join([entry, *entries][:5])}

    def run_partnerstackjs(self, click_id: str) -> None:
        self.cookies["ps_xid"] = click_id

    @property
    def clicks(self) -> list[str]:
        return [each.click_id for each in visit_of(request(cookies=self.cookies)).clicks]


def counting(request: HttpRequest, **options: Any) -> tuple[str, str, str]:
    """The method, click ID and partner key of the click that counts."""
    visit = visit_of(request, **options)
    return visit.method, visit.clicks[0].click_id, visit.clicks[0].partner_key


def token_of(*clicks: Click) -> str:
    return attribution.token(came_by(*clicks))


def test_the_link_of_the_same_request_comes_before_the_cookie() -> None:
    visit = visit_of(came_by(click("a", "partner-a"), query=link("b", "partner-b")))
    assert [each.click_id for each in visit.clicks] == ["b", "a"]
    assert visit.method == AttributionMethod.LINK


def test_a_form_on_the_landing_page_is_not_another_click() -> None:
    clicked = click("a", "partner-a", path="/pricing/")
    visit = visit_of(came_by(clicked, query=link("a", "partner-a"), method="POST"))
    assert visit == Visit((clicked,), AttributionMethod.COOKIE)


def test_an_older_landing_page_does_not_replace_a_later_click() -> None:
    clicks = (click("b", "partner-b"), click("a", "partner-a"))
    assert counting(came_by(*clicks, query=link("a", "partner-a"))) == ("cookie", "b", "partner-b")


def test_the_cookie_counts_on_any_later_request() -> None:
    assert counting(came_by(click(), method="POST")) == ("cookie", CLICK, "troycooper1364")


@pytest.mark.parametrize(("cookie_days", "token_days", "method"), [(2, 1, "token"), (1, 2, "cookie")])
def test_the_later_click_of_a_cookie_and_a_token_counts(
    cookie_days: int, token_days: int, method: str
) -> None:
    now = datetime.now(timezone.utc)
    in_cookie = click("in-cookie", at=now - timedelta(days=cookie_days))
    in_token = click("in-token", at=now - timedelta(days=token_days))
    assert counting(came_by(in_cookie), token=token_of(in_token))[:2] == (method, f"in-{method}")


def test_a_token_comes_as_argument_header_or_form_field() -> None:
    token = token_of(click())
    header = {f"HTTP_{TOKEN_HEADER.upper().replace('-', '_')}": token}
    expected = ("token", CLICK, "troycooper1364")
    assert counting(request(), token=token) == expected
    assert counting(request(**header)) == expected
    form = request(method="POST", data=f"{TOKEN_FIELD}={token.replace('+', '%2B')}", content_type=FORM)
    assert counting(form) == expected


def test_a_token_is_enough_without_a_request() -> None:
    visit = visit_of(None, token_of(click()))
    assert (visit.method, visit.clicks[0].click_id) == ("token", CLICK)
    assert visit_of(None).reason.startswith("The visitor did not come by a partner's link")


def test_without_a_click_there_is_no_token() -> None:
    assert attribution.token(request()) == ""


def test_a_cookie_is_not_a_token_and_a_token_is_not_a_cookie() -> None:
    assert not visit_of(request(), cookies.dumps((click(),))).clicks
    assert not visit_of(request(cookies={COOKIE: token_of(click())})).clicks


@pytest.mark.parametrize(
    "token",
    ["x", "\0", "a" * 5000, signed([1]), signed("x", salt="other")],
    ids=["short", "nul", "long", "no clicks", "other salt"],
)
def test_an_invalid_token_is_ignored(token: str) -> None:
    assert not visit_of(request(), token).clicks


def test_a_click_in_partnerstacks_cookies_is_newer_than_those_that_this_site_has_stored() -> None:
    found = came_by(click())
    found.COOKIES["ps_xid"] = "of_the_script"
    visit = visit_of(found)
    assert [each.click_id for each in visit.clicks] == ["of_the_script", CLICK]
    assert (visit.method, visit.clicks[0].at_is_known) == (AttributionMethod.PARTNERSTACK, False)


def test_a_click_that_partnerstacks_cookies_had_before_this_site_stored_one_is_older() -> None:
    browser = Browser({"ps_xid": "of_the_script"})
    browser.open(link("a"))
    assert browser.clicks == ["a", "of_the_script"]
    for number in range(HISTORY_LENGTH):
        browser.open(link(f"b{number}"))
    assert browser.clicks[0] == f"b{HISTORY_LENGTH - 1}"
    assert "of_the_script" not in browser.clicks


@pytest.mark.parametrize("sent", [{"ps_xid": CLICK}, {"ps_partner_key": "troycooper1364"}])
def test_partnerstacks_script_on_the_same_page_is_not_another_click(sent: dict[str, str]) -> None:
    browser = Browser()
    browser.open(link())
    browser.cookies |= sent
    assert browser.clicks == [CLICK]


def test_the_newest_click_counts_wherever_it_was_stored() -> None:
    """This site's cookie, that of landing.js and a token, in any order."""
    now = datetime.now(timezone.utc).replace(microsecond=0)
    times = {
        "cookie": now - timedelta(days=1),
        "landing": now - timedelta(days=2),
        "token": now - timedelta(days=3),
    }
    for order in permutations(times):
        at = dict(zip(order, times.values(), strict=True))
        found = came_by(click("cookie", at=at["cookie"]))
        found.COOKIES["partnerstack_clicks"] = f"{int(at['landing'].timestamp())}.landing."
        visit = visit_of(found, token_of(click("token", at=at["token"])))
        assert [each.click_id for each in visit.clicks] == list(order)
        assert visit.method == {"landing": "landing-js"}.get(order[0], order[0])


def test_partnerstacks_cookies_come_before_a_key_that_cannot_be_decoded() -> None:
    found = request("gspk=Nzg0ZGsdsZWYyMWRi", cookies={"growSumoPartnerKey": "partner"})
    assert counting(found) == ("partnerstack", "", "partner")


def test_a_key_that_cannot_be_decoded_is_recorded() -> None:
    visit = visit_of(request("gspk=Nzg0ZGsdsZWYyMWRi"))
    assert (visit.method, visit.clicks[0].unread_key) == ("link", "Nzg0ZGsdsZWYyMWRi")


def test_in_production_the_test_partner_is_ignored() -> None:
    found = came_by(click("a", "gstest"), click("b", "partner-b"))
    assert counting(found)[1] == "a"
    with override_settings(PARTNERSTACK_MODE="production"):
        assert counting(found)[1] == "b"
        assert "IGNORED_PARTNERS" in visit_of(request(link("a", "gstest"))).reason


@override_settings(PARTNERSTACK_ATTRIBUTION_IGNORED_PARTNERS=["our-own"])
def test_the_site_can_choose_which_partners_are_ignored() -> None:
    assert not visit_of(request(cookies={"growSumoPartnerKey": "our-own"})).clicks
    assert not visit_of(request(), token_of(click("a", "our-own"))).clicks
    assert counting(came_by(click("a", "gstest"), query=link("b", "our-own")))[1] == "a"


@override_settings(PARTNERSTACK_ATTRIBUTION_CONSENT="tests.attribution.clicks.refuse")
def test_without_consent_no_click_counts() -> None:
    found = came_by(click(), query=link())
    found.COOKIES["ps_xid"] = "of_the_script"
    assert visit_of(found, token_of(click())) == Visit(reason="The visitor has not consented.")


def test_clicks_of_staff_in_the_admin_do_not_count() -> None:
    found = came_by(click())
    found.resolver_match = resolve("/admin/shop/account/add/")
    assert visit_of(found) == Visit(reason="Created in the admin.")


def test_a_body_that_was_read_as_a_stream_is_not_read_again() -> None:
    found = came_by(click(), method="POST", data="{}", content_type="application/json")
    assert found.read() == b"{}"
    assert counting(found)[:2] == ("cookie", CLICK)


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
def test_a_body_that_is_not_a_form_is_not_an_error(content_type: str, body: bytes) -> None:
    found = came_by(click(), method="POST", data=body, content_type=content_type)
    assert counting(found)[:2] == ("cookie", CLICK)


@pytest.mark.parametrize("query", [link() + "&a=1" * 1001, "state=x" + "&a=1" * 1001, "ps_xid=\udcff"])
def test_more_parameters_than_django_accepts_or_no_text_are_not_an_error(query: str) -> None:
    found = request(cookies={COOKIE: cookies.dumps((click(),))})
    found.META["QUERY_STRING"] = query
    assert counting(found)[:2] == ("cookie", CLICK)


headers = st.dictionaries(
    st.sampled_from(
        [
            COOKIE,
            "partnerstack_clicks",
            "ps_xid",
            "gsxid",
            "ps_partner_key",
            "growSumoPartnerKey",
            "_ps_xid_a_b",
        ]
    ),
    st.text(),
)


@a_run_of_visitors
@given(st.binary().map(lambda raw: raw.decode("latin-1")), headers, st.text())
def test_nothing_that_a_visitor_sends_is_an_error(query: str, sent: dict[str, str], token: str) -> None:
    found = request(cookies=sent)
    found.META["QUERY_STRING"] = f"ps_xid={query}&gspk={query}"
    for each in visit_of(found, token).clicks:
        assert each.is_attributable or each.unread_key


STACKS = ("django", "landing.js", "partnerstackjs", "django and partnerstackjs")
events = st.one_of(
    st.sampled_from(STACKS),
    st.sampled_from(["loaded again", "image", "prefetch", "page before", "another page"]),
)


@a_run_of_journeys
@given(st.lists(events, max_size=25))
def test_the_last_click_counts_after_any_journey_across_the_stacks(journey: list[str]) -> None:
    browser, clicked, of_django = Browser(), [""], ["none"]
    for number, event in enumerate(journey):
        if event in STACKS:
            clicked.append(f"click-{number}")
        if event.startswith("django"):
            of_django.append(clicked[-1])
            browser.open(link(clicked[-1]))
        if event == "landing.js":
            browser.run_landing_js(clicked[-1])
        elif event.endswith("partnerstackjs"):
            browser.run_partnerstackjs(clicked[-1])
        elif event == "loaded again" and of_django[-1] in clicked[-4:]:
            browser.open(link(of_django[-1]))
        elif event == "page before" and of_django[-1] in clicked[-4:]:
            browser.open(HTTP_REFERER=f"http://testserver/?{link(of_django[-1])}")
        elif event == "image":
            browser.open(link("planted"), HTTP_SEC_FETCH_DEST="image")
        elif event == "prefetch":
            browser.open(link("planted"), HTTP_SEC_PURPOSE="prefetch")
        elif event == "another page":
            browser.open()
        assert (browser.clicks or [""])[0] == clicked[-1]
        assert len(browser.clicks) == len(set(browser.clicks)) <= HISTORY_LENGTH


def test_two_tabs_are_one_visitor() -> None:
    browser = Browser()
    browser.open(link("first"))
    browser.open(link("second"))
    sent = request(link("first"), cookies=browser.cookies, method="POST")
    assert [each.click_id for each in visit_of(sent).clicks] == ["second", "first"]


def test_a_key_that_only_the_second_link_contains_is_added_to_the_click() -> None:
    browser = Browser()
    browser.open("ps_xid=a")
    browser.open(link("a", "partner-a"))
    [found] = visit_of(request(cookies=browser.cookies)).clicks
    assert (found.click_id, found.partner_key) == ("a", "partner-a")


class TestState:
    def test_carries_the_last_click_through_an_identity_provider(self) -> None:
        state = attribution.add_to_state("s3cr3t", came_by(click("b"), click("a")))
        assert state.startswith("s3cr3t~")
        for returned in (
            request(urlencode({"state": state, "code": "x"})),
            request(method="POST", data=urlencode({"state": state}), content_type=FORM),
        ):
            assert counting(returned) == ("token", "b", "troycooper1364")

    def test_is_unchanged_without_a_click(self) -> None:
        assert attribution.add_to_state("s3cr3t", request()) == "s3cr3t"

    @override_settings(PARTNERSTACK_ATTRIBUTION_CONSENT="tests.attribution.clicks.refuse")
    def test_is_unchanged_without_consent(self) -> None:
        assert attribution.add_to_state("s3cr3t", came_by(click())) == "s3cr3t"

    def test_is_short_and_needs_no_escaping(self) -> None:
        state = attribution.add_to_state("", came_by(click(link_host="h" * 200, path="/p" * 100)))
        assert len(state) < 200
        assert quote(state, safe=":") == state

    @pytest.mark.parametrize("state", ["", "CA", "~", "a~b", "~~", "s3cr3t~" + "x" * 5000, "\0~\0", "é~é"])
    def test_of_another_kind_is_ignored(self, state: str) -> None:
        assert not visit_of(request(urlencode({"state": state}))).clicks
        assert not visit_of(
            request(method="POST", data=urlencode({"state": state}), content_type=FORM)
        ).clicks

    def test_comes_after_the_form_field_and_counts_only_if_it_is_newer_than_the_cookie(self) -> None:
        older = click("older", at=datetime.now(timezone.utc) - timedelta(days=1))
        state = attribution.add_to_state("", came_by(older))
        found = came_by(click("newer"), query=urlencode({"state": state}))
        assert [each.click_id for each in visit_of(found).clicks] == ["newer", "older"]
        field = urlencode({"state": state, TOKEN_FIELD: token_of(click("field"))})
        assert counting(request(method="POST", data=field, content_type=FORM))[1] == "field"


class TestHistory:
    A, B = click("a", "partner-a"), click("b", "partner-b")
    KEY_ONLY = click("", "partner-a")
    UNREAD = click("", "", unread_key="Nzg0ZGsdsZWYyMWRi")

    def test_the_last_click_comes_first(self) -> None:
        assert add_click(self.B, add_click(self.A, ())) == (self.B, self.A)

    def test_a_page_that_is_loaded_again_is_not_another_click(self) -> None:
        again = replace(self.A, at=self.A.at + timedelta(days=1), path="/other")
        assert add_click(again, (self.A,)) == (self.A,)
        assert add_click(self.A, (self.B, self.A)) == (self.B, self.A)

    def test_without_a_click_id_the_same_partner_is_clicked_again(self) -> None:
        later = replace(self.KEY_ONLY, at=self.A.at + timedelta(days=1), path="/other")
        updated = replace(self.KEY_ONLY, at=later.at)
        assert add_click(later, (self.KEY_ONLY, self.B)) == (updated, self.B)
        assert add_click(later, (self.B, self.KEY_ONLY)) == (later, self.B, self.KEY_ONLY)

    def test_a_click_without_a_partner_never_replaces_another(self) -> None:
        assert add_click(self.UNREAD, ()) == (self.UNREAD,)
        assert add_click(self.UNREAD, (self.A,)) == (self.A,)
        assert add_click(self.A, (self.UNREAD,)) == (self.A, self.UNREAD)

    def test_only_the_last_clicks_are_stored(self) -> None:
        history: tuple[Click, ...] = ()
        for number in range(HISTORY_LENGTH + 3):
            history = add_click(click(f"c{number}"), history)
        assert [each.click_id for each in history] == ["c7", "c6", "c5", "c4", "c3"]

    @given(st.lists(st.sampled_from([A, B, KEY_ONLY, UNREAD, click("c", "partner-a")]), max_size=12))
    def test_the_history_is_short_and_contains_each_click_once(self, clicked: list[Click]) -> None:
        history: tuple[Click, ...] = ()
        for each in clicked:
            history = add_click(each, history)
        ids = [each.click_id for each in history if each.click_id]
        assert len(history) <= HISTORY_LENGTH
        assert len(ids) == len(set(ids))
