"""Middleware of a site."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

View = Callable[[HttpRequest], HttpResponse]


def firewall(get_response: View) -> View:
    """Refuses what browsers would not send."""

    def handle(request: HttpRequest) -> HttpResponse:
        return HttpResponse(status=403) if request.method == "POST" else get_response(request)

    return handle
