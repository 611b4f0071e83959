"""The pages of a site to which partners send visitors."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from urllib.parse import urlencode

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse, StreamingHttpResponse
from django.urls import include, path
from django.utils.html import format_html
from django.views.decorators.cache import cache_control, cache_page, never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.vary import vary_on_headers

from django_partnerstack import attribution, track
from tests.shop.models import Account


def landing(request: HttpRequest) -> HttpResponse:
    return HttpResponse("Welcome", headers={"X-Method": request.method or ""})


async def async_landing(request: HttpRequest) -> HttpResponse:
    return HttpResponse("Welcome")


@vary_on_headers("Accept-Language")
@cache_control(public=True, max_age=600)
def public(request: HttpRequest) -> HttpResponse:
    return HttpResponse("The same for all")


def streamed(request: HttpRequest) -> StreamingHttpResponse:
    def parts() -> Iterator[str]:
        yield str(attribution.current.get())

    return StreamingHttpResponse(parts())


async def async_streamed(request: HttpRequest) -> StreamingHttpResponse:
    async def parts() -> AsyncIterator[str]:
        yield "part"

    return StreamingHttpResponse(parts())


def broken(request: HttpRequest) -> HttpResponse:
    raise ValueError("The page is broken.")


def account(**fields: str) -> Account:
    return Account.objects.create(email="a@customers.example", **fields)


def sign_up(request: HttpRequest) -> HttpResponse:
    account(name=request.POST.get("name", ""))
    return HttpResponse("Thank you")


async def async_sign_up(request: HttpRequest) -> HttpResponse:
    await Account.objects.acreate(email="a@customers.example")
    return HttpResponse("Thank you")


def api_sign_up(request: HttpRequest) -> JsonResponse:
    """It reads the body as a stream, as REST frameworks do."""
    return JsonResponse({"account": account(name=json.load(request)["name"]).pk})


def oauth_callback(request: HttpRequest) -> HttpResponse:
    """The other site returns the state."""
    track.signup(account(), request=request, token=request.GET["state"])
    return HttpResponseRedirect("/landing/")


def begin_sign_in(request: HttpRequest) -> HttpResponse:
    """To an identity provider, which is the same server by another name: to a browser, another site."""
    state = "s3cr3t"
    if "carry" in request.GET:
        state = attribution.add_to_state(state, request)
    back = request.build_absolute_uri(f"/{request.GET['back']}/")
    query = urlencode({"back": back, "state": state, "method": request.GET["method"]})
    return HttpResponseRedirect(f"http://127.0.0.1:{request.get_port()}/provider/?{query}")


def of_another_site(page: str) -> HttpResponse:
    """A page of another site, which does not have this site's policy."""
    return HttpResponse(page, headers={"Content-Security-Policy": "default-src * 'unsafe-inline'"})


def provider(request: HttpRequest) -> HttpResponse:
    """It returns by a form that submits itself (form_post), or by the same form with GET."""
    page = (
        '<title>Provider</title><form method="{}" action="{}"><input name="state" value="{}"></form>'
        "<script>document.forms[0].submit()</script>"
    )
    return of_another_site(format_html(page, *(request.GET[name] for name in ("method", "back", "state"))))


def planting(request: HttpRequest) -> HttpResponse:
    """A page that loads an address of the site without a click on it."""
    page = '<img src="{0}"><iframe src="{0}"></iframe><link rel="prefetch" href="{0}">'
    return of_another_site(format_html(page, request.GET["of"]))


@csrf_exempt
def sign_in(request: HttpRequest) -> HttpResponse:
    account(name=request.method or "")
    return HttpResponse("<title>Signed in</title>")


@csrf_exempt
def redirected_sign_in(request: HttpRequest) -> HttpResponse:
    """As django-allauth does it for Apple: the form's values come back in the address of a redirect."""
    if request.method == "POST":
        return HttpResponseRedirect(f"{request.path}?{request.POST.urlencode()}")
    return sign_in(request)


urlpatterns = [
    path("", include("tests.urls")),
    path("landing/", landing),
    path("async/", async_landing),
    path("public/", public),
    path("never/", never_cache(landing)),
    path("cached/", cache_page(60)(landing)),
    path("streamed/", streamed),
    path("async-streamed/", async_streamed),
    path("broken/", broken),
    path("members/", login_required(landing, login_url="/login/")),
    path("login/", landing),
    path("sign-up/", sign_up),
    path("async-sign-up/", async_sign_up),
    path("api/", api_sign_up),
    path("oauth/", oauth_callback),
    path("begin/", begin_sign_in),
    path("provider/", provider),
    path("planting/", planting),
    path("sign-in/", sign_in),
    path("redirected-sign-in/", redirected_sign_in),
]
