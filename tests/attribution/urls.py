"""The pages of a site to which partners send visitors."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse, StreamingHttpResponse
from django.urls import include, path
from django.views.decorators.cache import cache_control, cache_page, never_cache
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
]
