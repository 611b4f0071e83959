"""Keeping a click with the visitor who made it."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse

from ..conf import conf
from . import cookie
from .visit import clicked, has_consent, is_ignored


def remember(request: HttpRequest, response: HttpResponse) -> HttpResponse:
    """
    Keep the click that a request landed from; the response is untouched if there is none to keep.

    A page that is loaded again is not another click.
    """
    click = clicked(request) if request.method == "GET" else None
    if click is None or is_ignored(click) or not has_consent(request):
        return response
    kept = cookie.loads(request.COOKIES.get(conf.attribution_cookie, ""))
    if click.click_id and kept and kept[0].click_id == click.click_id:
        return response
    cookie.save(response, (click, *kept), request)
    return response
