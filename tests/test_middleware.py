"""What browsers, caches and views notice of the middleware."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.core.cache import cache
from django.http import HttpRequest, HttpResponse
from django.test import AsyncClient, Client, override_settings
from hypothesis import given
from hypothesis import strategies as st

from django_partnerstack import attribution
from django_partnerstack.attribution import cookies, encode
from django_partnerstack.middleware import AttributionMiddleware
from django_partnerstack.models import Attribution
from tests.attribution.clicks import CLICK, COOKIE, click, link, request, signed
from tests.attribution.lengths import a_run_of_visitors
from tests.shop.models import Account

ATTRIBUTION = "django_partnerstack.middleware.AttributionMiddleware"

pytestmark = pytest.mark.urls("tests.attribution.urls")


def stored(response: Any) -> list[str]:
    """The click IDs in the cookie that the response sets. Fails without a cookie."""
    return [each.click_id for each in cookies.loads(response.cookies[COOKIE].value)]


def get_async(page: str) -> Any:
    """The response of an asynchronous site that uses the database of this thread."""
    return async_to_sync(AsyncClient().get)(page)


def without_middleware(settings: Any) -> None:
    settings.MIDDLEWARE = [name for name in settings.MIDDLEWARE if name != ATTRIBUTION]


class TestStoring:
    def test_a_click_is_stored_on_any_page(self, client: Client) -> None:
        response = client.get(f"/landing/?{link()}")
        assert stored(response) == [CLICK]
        assert response["Cache-Control"] == "private"

    def test_a_click_is_stored_with_its_page_and_host(self, client: Client) -> None:
        [found] = cookies.loads(client.get(f"/landing/?{link()}").cookies[COOKIE].value)
        assert (found.path, found.link_host) == ("/landing/", "try.site.example")

    def test_the_last_click_comes_first_and_earlier_clicks_are_stored(self, client: Client) -> None:
        for number in range(7):
            response = client.get(f"/landing/?{link(f'c{number}')}")
        assert stored(response) == ["c6", "c5", "c4", "c3", "c2"]

    def test_a_page_that_is_loaded_again_sets_no_cookie(self, client: Client) -> None:
        client.get(f"/landing/?{link('a')}")
        client.get(f"/landing/?{link('b')}")
        for again in ("a", "b"):
            assert COOKIE not in client.get(f"/landing/?{link(again)}").cookies

    @pytest.mark.parametrize("method", ["post", "head", "put", "delete", "options"])
    def test_only_a_get_request_stores_a_click(self, client: Client, method: str) -> None:
        response = getattr(client, method)(f"/landing/?{link()}")
        assert COOKIE not in response.cookies
        assert "Cache-Control" not in response

    def test_a_page_that_does_not_exist_stores_the_click(self, client: Client) -> None:
        response = client.get(f"/nowhere/?{link()}")
        assert (response.status_code, stored(response)) == (404, [CLICK])

    def test_a_page_that_fails_stores_the_click(self, client: Client) -> None:
        client.raise_request_exception = False
        response = client.get(f"/broken/?{link()}")
        assert (response.status_code, stored(response)) == (500, [CLICK])

    def test_a_redirect_stores_the_click(self, client: Client) -> None:
        response = client.get(f"/landing?{link()}")
        assert (response.status_code, stored(response)) == (301, [CLICK])

    @pytest.mark.django_db
    def test_a_click_survives_a_login(self, client: Client) -> None:
        response = client.get(f"/members/?{link()}", follow=True)
        assert response.redirect_chain[0][0].startswith("/login/?next=/members/")
        client.get("/login/")
        client.post("/sign-up/")
        assert Attribution.objects.get().click_id == CLICK

    def test_an_invalid_cookie_is_replaced(self, client: Client) -> None:
        for text in ("junk", "x" * 4001, signed("x"), signed([], days_ago=91), signed([], key="other")):
            client.cookies[COOKIE] = text
            assert stored(client.get(f"/landing/?{link()}")) == [CLICK]

    def test_a_click_of_the_test_partner_is_not_stored_in_production(self, client: Client) -> None:
        with override_settings(PARTNERSTACK_MODE="production"):
            assert COOKIE not in client.get(f"/landing/?{link(partner_key='gstest')}").cookies
        assert stored(client.get(f"/landing/?{link(partner_key='gstest')}")) == [CLICK]

    def test_a_key_that_cannot_be_decoded_never_replaces_a_click(self, client: Client) -> None:
        client.get(f"/landing/?{link()}")
        assert COOKIE not in client.get("/landing/?gspk=Nzg0ZGsdsZWYyMWRi").cookies


def navigation(**headers: str) -> dict[str, str]:
    """The headers of a browser in which somebody clicked a link."""
    return {
        "Sec-Fetch-Dest": "document",
        "Sec-Fetch-Mode": "navigate",
        "Sec-Fetch-Site": "cross-site",
        **headers,
    }


class TestNavigation:
    @pytest.mark.parametrize("headers", [{}, navigation(), navigation(**{"Sec-Fetch-Dest": " Document"})])
    def test_a_page_that_is_opened_stores_the_click(self, client: Client, headers: dict[str, str]) -> None:
        assert stored(client.get(f"/landing/?{link()}", headers=headers)) == [CLICK]

    @pytest.mark.parametrize(
        "headers",
        [
            *(
                {"Sec-Fetch-Dest": name}
                for name in ("image", "iframe", "frame", "empty", "script", "style", "embed", "object", "")
            ),
            {"Sec-Purpose": "prefetch"},
            {"Sec-Purpose": "prefetch;prerender"},
            {"Purpose": "prefetch"},
            {"X-Moz": "prefetch"},
        ],
    )
    @pytest.mark.parametrize("way", ["address", "page before"])
    def test_what_a_page_loads_is_not_a_click(
        self, client: Client, headers: dict[str, str], way: str
    ) -> None:
        page = f"/landing/?{link()}" if way == "address" else "/landing/"
        before = {} if way == "address" else {"Referer": f"http://testserver/?{link()}"}
        response = client.get(page, headers={**navigation(), **before, **headers})
        assert COOKIE not in response.cookies
        assert "Cache-Control" not in response

    @pytest.mark.django_db
    def test_an_image_cannot_attribute_a_sign_up(self, client: Client) -> None:
        client.get(f"/landing/?{link()}")
        client.get(f"/landing/?{link('planted')}", headers={"Sec-Fetch-Dest": "image"})
        client.post("/sign-up/")
        client.post(f"/sign-up/?{link('planted')}", headers={"Sec-Fetch-Dest": "iframe"})
        assert set(Attribution.objects.values_list("click_id", flat=True)) == {CLICK}


class TestConsent:
    def test_without_consent_no_click_is_stored(self, client: Client) -> None:
        with override_settings(PARTNERSTACK_ATTRIBUTION_CONSENT="tests.attribution.clicks.refuse"):
            response = client.get(f"/landing/?{link()}")
        assert COOKIE not in response.cookies
        assert "Cache-Control" not in response

    def test_with_consent_the_click_is_stored(self, client: Client) -> None:
        with override_settings(PARTNERSTACK_ATTRIBUTION_CONSENT="tests.attribution.clicks.allow"):
            assert stored(client.get(f"/landing/?{link()}")) == [CLICK]

    @pytest.mark.parametrize("name", ["tests.attribution.clicks.fail", "tests.nowhere.allow", "allow"])
    def test_an_error_in_the_callable_means_no_and_breaks_no_page(
        self, client: Client, caplog: Any, name: str
    ) -> None:
        with override_settings(PARTNERSTACK_ATTRIBUTION_CONSENT=name):
            response = client.get(f"/landing/?{link()}")
        assert (response.status_code, COOKIE in response.cookies) == (200, False)
        assert "PARTNERSTACK_ATTRIBUTION_CONSENT failed" in caplog.text

    @pytest.mark.django_db
    def test_consent_that_is_given_on_the_landing_page_counts(self, client: Client) -> None:
        before = {"Referer": f"http://testserver/landing/?{link()}"}
        with override_settings(PARTNERSTACK_ATTRIBUTION_CONSENT="tests.attribution.clicks.by_cookie"):
            client.get(f"/landing/?{link()}")
            assert COOKIE not in client.get("/landing/", headers=before).cookies
            client.cookies["consent"] = "yes"
            response = client.get("/members/", headers=before)
            assert (stored(response), response["Cache-Control"]) == ([CLICK], "private")
            assert COOKIE not in client.get("/landing/", headers=before).cookies
            client.post("/sign-up/")
        found = Attribution.objects.get()
        assert (found.click_id, found.landing_path, found.clicked_at) == (CLICK, "/landing/", None)

    @pytest.mark.django_db
    def test_a_form_on_the_landing_page_is_enough_after_consent(self, client: Client) -> None:
        client.post("/sign-up/", headers={"Referer": f"http://testserver/?{link()}"})
        found = Attribution.objects.get()
        assert (found.click_id, found.method) == (CLICK, "page-before")

    @pytest.mark.django_db
    def test_consent_that_is_given_later_counts_in_an_asynchronous_site(self) -> None:
        response = async_to_sync(AsyncClient().get)(
            "/async/", headers={"Referer": f"http://testserver/?{link()}"}
        )
        assert stored(response) == [CLICK]

    @pytest.mark.parametrize(
        "referer",
        [
            f"http://evil.example/?{link()}",
            f"http://testserver.evil.example/?{link()}",
            f"http://testserver@evil.example/?{link()}",
            f"http://testserver:81/?{link()}",
            f"//?{link()}",
            f"testserver/?{link()}",
            f"http://[/?{link()}",
            f"http://testserver/?{link()}" + "&a=1" * 1001,
            f"http://testserver/?{link()}&a=" + "x" * 20_000,
            f"http://testserver/#{link()}",
        ],
    )
    def test_only_a_page_of_the_same_host_counts_as_the_page_before(
        self, client: Client, referer: str
    ) -> None:
        response = client.get("/landing/", headers={"Referer": referer})
        assert (response.status_code, COOKIE in response.cookies) == (200, False)

    def test_a_host_that_the_site_does_not_serve_is_not_an_error(self, client: Client) -> None:
        headers = {"Host": "evil.example", "Referer": f"http://evil.example/?{link()}"}
        with override_settings(ALLOWED_HOSTS=["testserver"]):
            assert COOKIE not in client.get("/landing/", headers=headers).cookies

    def test_the_page_before_is_not_another_click_of_a_partner_without_a_click_id(
        self, client: Client
    ) -> None:
        for key in ("partner-a", "partner-b"):
            client.get(f"/landing/?gspk={encode(key)}")
        for key in ("partner-a", "partner-b"):
            before = {"Referer": f"http://testserver/landing/?gspk={encode(key)}"}
            assert COOKIE not in client.get("/landing/", headers=before).cookies

    @pytest.mark.django_db
    def test_the_callable_may_query_the_database_in_an_asynchronous_site(self) -> None:
        with override_settings(PARTNERSTACK_ATTRIBUTION_CONSENT="tests.attribution.clicks.ask_database"):
            assert stored(get_async("/async/?" + link())) == [CLICK]
            Account.objects.create(email="a@customers.example", name="refuses")
            assert COOKIE not in get_async("/async/?" + link()).cookies


class TestOtherPages:
    PAGES = ("/landing/", "/public/", "/never/", "/async/", "/nowhere/", "/landing/?tags=1&ps_=2", "/landing")

    @pytest.mark.parametrize("page", PAGES)
    @pytest.mark.parametrize("method", ["GET", "POST", "HEAD"])
    def test_their_responses_do_not_change_by_a_byte(self, settings: Any, page: str, method: str) -> None:
        with_middleware = Client().generic(method, page)
        without_middleware(settings)
        without = Client().generic(method, page)
        assert with_middleware.serialize() == without.serialize()

    def test_a_visitor_with_the_cookie_gets_the_same_page(self, client: Client) -> None:
        plain = client.get("/public/").serialize()
        client.get(f"/landing/?{link()}")
        assert client.get("/public/").serialize() == plain

    def test_they_cost_no_query(self, client: Client, django_assert_num_queries: Any, db: None) -> None:
        client.cookies[COOKIE] = cookies.dumps((click(),))
        with django_assert_num_queries(0):
            client.get("/landing/")
            client.get(f"/landing/?{link('another')}")


class TestCaches:
    def test_a_public_page_becomes_private_and_keeps_its_other_headers(self, client: Client) -> None:
        response = client.get(f"/public/?{link()}")
        assert set(response["Cache-Control"].split(", ")) == {"private", "max-age=600"}
        assert response["Vary"] == "Accept-Language"

    @pytest.mark.parametrize(
        ("control", "rest"),
        [
            ("public, max-age=60, s-maxage=600", {"max-age=60"}),
            ("S-MaxAge=600", set()),
            ("public,s-maxage = 600,stale-while-revalidate=60", {"stale-while-revalidate=60"}),
            ("no-store, s-maxage=1", {"no-store"}),
            ("", set()),
        ],
    )
    def test_no_shared_cache_stores_a_response_with_the_cookie(self, control: str, rest: set[str]) -> None:
        headers = {
            "Cache-Control": control,
            "CDN-Cache-Control": "max-age=600",
            "Cloudflare-CDN-Cache-Control": "max-age=600",
            "Surrogate-Control": "max-age=600",
            "X-Accel-Expires": "600",
        }
        answer = AttributionMiddleware(lambda request: HttpResponse(headers=headers))
        response = answer(request(link()))
        assert set(response["Cache-Control"].split(", ")) == {"private", *rest}
        assert set(response.headers) == {"Content-Type", "Cache-Control"}
        assert set(answer(request()).headers) == {"Content-Type", *headers}

    def test_a_page_that_must_not_be_cached_stays_so(self, client: Client) -> None:
        assert "no-store" in client.get(f"/never/?{link()}")["Cache-Control"]

    @pytest.mark.parametrize("place", ["above", "below"])
    def test_djangos_cache_gives_no_visitors_cookie_to_another(self, settings: Any, place: str) -> None:
        cache.clear()
        attribution = [ATTRIBUTION] if place == "below" else []
        others = [
            "django.middleware.cache.UpdateCacheMiddleware",
            *attribution,
            "django.middleware.cache.FetchFromCacheMiddleware",
        ]
        settings.MIDDLEWARE = others if place == "below" else [ATTRIBUTION, *others]
        for _ in range(2):
            assert stored(Client().get(f"/landing/?{link()}")) == [CLICK]
        assert COOKIE not in Client().get("/landing/").cookies

    def test_a_cached_view_contains_no_cookie(self) -> None:
        cache.clear()
        assert stored(Client().get(f"/cached/?{link()}")) == [CLICK]
        assert stored(Client().get(f"/cached/?{link()}")) == [CLICK]


class TestHostileInput:
    EVIL = ("%0D%0ASet-Cookie:%20evil=1", "%3Cscript%3Ealert(1)%3C/script%3E", "https://evil.example/", "%00")

    @pytest.mark.parametrize("value", EVIL)
    @pytest.mark.parametrize("name", ["ps_xid", "gsxid", "ps_partner_key", "gspk", "pscd"])
    def test_is_not_reflected_in_the_response(self, client: Client, name: str, value: str) -> None:
        response = client.get(f"/landing/?{link()}&{name}={value}")
        text = response.serialize().lower()
        assert b"evil" not in text
        assert b"script" not in text
        assert response.status_code == 200

    def test_never_redirects_a_visitor(self, client: Client) -> None:
        response = client.get(f"/landing/?{link()}&next=https://evil.example/&dest=https://evil.example/")
        assert (response.status_code, response.has_header("Location")) == (200, False)

    @a_run_of_visitors
    @given(st.binary().map(lambda raw: raw.decode("latin-1")), st.text(), st.booleans())
    def test_in_an_address_or_a_cookie_is_not_an_error(self, query: str, text: str, before: bool) -> None:
        found = request(cookies={COOKIE: text, "partnerstack_clicks": text, "ps_xid": text})
        query = f"ps_xid={query}&ps_partner_key={query}&pscd={query}"
        found.META["HTTP_REFERER" if before else "QUERY_STRING"] = f"http://testserver/?{query}"
        answer = AttributionMiddleware(lambda request: HttpResponse())(found)
        for each in cookies.loads(answer.cookies[COOKIE].value) if COOKIE in answer.cookies else ():
            assert each.click_id or each.partner_key or each.unread_key

    def test_with_too_many_parameters_breaks_no_page(self, client: Client) -> None:
        response = client.get(f"/landing/?{link()}" + "&a=1" * 1001)
        assert (response.status_code, COOKIE in response.cookies) == (200, False)


class TestTheCurrentRequest:
    @pytest.fixture(autouse=True)
    def none_before_and_after(self) -> Iterator[None]:
        assert attribution.current.get() is None
        yield
        assert attribution.current.get() is None

    @pytest.mark.django_db
    def test_is_available_when_a_customer_is_saved(self, client: Client) -> None:
        client.get(f"/landing/?{link()}")
        client.post("/sign-up/")
        assert Attribution.objects.get().click_id == CLICK

    @pytest.mark.django_db
    def test_is_available_when_its_body_was_read_as_a_stream(self, client: Client) -> None:
        client.get(f"/landing/?{link()}")
        client.post("/api/", {"name": "Ada"}, content_type="application/json")
        assert (Attribution.objects.get().click_id, Account.objects.get().name) == (CLICK, "Ada")

    @pytest.mark.django_db
    def test_may_carry_a_token_instead_of_the_cookie(self, client: Client) -> None:
        token = attribution.token(request(link()))
        client.post("/sign-up/", {"partnerstack_token": token})
        client.post(
            "/api/",
            {"name": "Ada"},
            content_type="application/json",
            headers={"X-PartnerStack-Token": token},
        )
        assert list(Attribution.objects.values_list("click_id", "method")) == [(CLICK, "token")] * 2

    @pytest.mark.django_db
    def test_may_carry_a_token_back_from_another_site(self, client: Client) -> None:
        state = attribution.token(request(link()))
        client.get("/oauth/", {"state": state})
        assert Attribution.objects.get().click_id == CLICK

    def test_is_reset_when_the_view_fails(self) -> None:
        def fail(request: HttpRequest) -> HttpResponse:
            assert attribution.current.get() is request
            raise ValueError

        with pytest.raises(ValueError):
            AttributionMiddleware(fail)(request())

    def test_is_reset_when_an_asynchronous_view_fails(self) -> None:
        async def fail(request: HttpRequest) -> HttpResponse:
            assert attribution.current.get() is request
            raise ValueError

        async def answer() -> None:
            with pytest.raises(ValueError):
                await AttributionMiddleware(fail)(request())
            assert attribution.current.get() is None

        asyncio.run(answer())

    def test_is_reset_before_a_stream_is_read(self, client: Client) -> None:
        response = client.get(f"/streamed/?{link()}")
        assert stored(response) == [CLICK]
        assert response.getvalue() == b"None"

    def test_is_separate_in_each_task(self) -> None:
        async def view(found: HttpRequest) -> HttpResponse:
            await asyncio.sleep(0)
            assert attribution.current.get() is found
            return HttpResponse()

        async def answer() -> None:
            middleware = AttributionMiddleware(view)
            await asyncio.gather(*(middleware(request()) for _ in range(20)))

        asyncio.run(answer())

    @pytest.mark.django_db
    def test_is_not_available_without_the_middleware(self, settings: Any, client: Client) -> None:
        without_middleware(settings)
        client.get(f"/landing/?{link()}")
        client.post("/sign-up/")
        assert (Account.objects.count(), Attribution.objects.count()) == (1, 0)

    @pytest.mark.django_db
    def test_can_be_passed_by_the_site_without_the_middleware(self, settings: Any, client: Client) -> None:
        without_middleware(settings)
        client.cookies[COOKIE] = cookies.dumps((click(),))
        client.get("/oauth/", {"state": ""})
        assert Attribution.objects.get().method == "cookie"


@pytest.mark.django_db
class TestAsynchronousSites:
    @pytest.mark.parametrize("page", ["/async/", "/landing/", "/async-streamed/"])
    def test_a_click_is_stored_by_any_view(self, page: str) -> None:
        assert stored(get_async(f"{page}?{link()}")) == [CLICK]

    def test_other_pages_are_not_changed(self) -> None:
        response = get_async("/async/")
        assert not response.cookies
        assert not response.has_header("Cache-Control")

    @pytest.mark.parametrize("page", ["/async-sign-up/", "/sign-up/"])
    @pytest.mark.parametrize("others", [True, False], ids=["sync middleware around", "alone"])
    def test_a_sign_up_is_bound_to_its_click(self, settings: Any, page: str, others: bool) -> None:
        settings.MIDDLEWARE = [SYNCHRONOUS, ATTRIBUTION, SYNCHRONOUS] if others else [ATTRIBUTION]

        client = AsyncClient()
        client.cookies[COOKIE] = cookies.dumps((click(),))
        async_to_sync(client.post)(page)
        assert Attribution.objects.get().click_id == CLICK
        assert attribution.current.get() is None


SYNCHRONOUS = "tests.test_middleware.synchronous"


def synchronous(get_response: Any) -> Any:
    def middleware(request: HttpRequest) -> HttpResponse:
        return get_response(request)

    return middleware
