"""Keeping a click with the visitor who made it."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse

from ..conf import conf
from . import cookie, history
from .landing import clicked, has_consent, is_ignored


def remember(request: HttpRequest, response: HttpResponse) -> HttpResponse:
    """
    Keep the click that a request landed from; the response is untouched if there is none to keep.

    No error: what cannot be read is not kept.
    """
    click = clicked(request) if request.method == "GET" else None
    if click is None or is_ignored(click) or not has_consent(request):
        return response
    kept = cookie.loads(request.COOKIES.get(conf.attribution_cookie, ""))
    clicks = history.add(click, kept)
    if clicks != kept:
        cookie.save(response, clicks, request)
    return response
