"""Stores which partner sent a visitor, and provides the current request to sign-ups."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from asgiref.sync import iscoroutinefunction, markcoroutinefunction, sync_to_async
from django.http import HttpRequest, HttpResponse

from . import attribution


class AttributionMiddleware:
    """
    Store a partner's click in a signed cookie, and bind the customers that a view creates to the click.

    Responses to requests without a partner's parameters, in the address or the ``Referer``, are not changed,
    and cause no query. Place it above middleware that answers requests itself, such as a cache or a login
    wall.
    """

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: Callable[[HttpRequest], Any]) -> None:
        self.get_response = get_response
        self.is_async = iscoroutinefunction(get_response)
        if self.is_async:
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> Any:
        if self.is_async:
            return self.__acall__(request)
        before = attribution.current.set(request)
        try:
            response = self.get_response(request)
        finally:
            attribution.current.reset(before)
        return attribution.remember(request, response)

    async def __acall__(self, request: HttpRequest) -> HttpResponse:
        before = attribution.current.set(request)
        try:
            response = await self.get_response(request)
        finally:
            attribution.current.reset(before)
        if not attribution.may_arrive(request):
            return response
        # The site's consent callable may query the database.
        return await sync_to_async(attribution.remember)(request, response)
