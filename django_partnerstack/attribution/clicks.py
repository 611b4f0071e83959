"""
Which click counts: the newest that names a partner, wherever the visitor brings it from.

A visitor brings clicks in the address of the request, in a token, in this site's cookie and in the cookies of
PartnerStack's script. PartnerStack's cookies do not say when the click happened, so they count only if there
is no other click. Clicks of ignored partners never count, and no click counts without consent.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from contextvars import ContextVar
from dataclasses import dataclass, replace

from django.core.exceptions import BadRequest, SuspiciousOperation
from django.http import HttpRequest, HttpResponse
from django.http.multipartparser import MultiPartParserError
from django.utils.module_loading import import_string

from ..conf import conf
from ..models import AttributionMethod
from ..models.mirror import Mode
from . import cookies
from .parameters import Click, clicked

logger = logging.getLogger(__name__)

#: The request that is being answered; None outside a request. AttributionMiddleware sets it.
current: ContextVar[HttpRequest | None] = ContextVar("partnerstack_request", default=None)

TOKEN_SALT = "django_partnerstack.attribution.token"  # noqa: S105
#: The form field and the header that may carry a token.
TOKEN_FIELD = "partnerstack_token"  # noqa: S105
TOKEN_HEADER = "X-PartnerStack-Token"  # noqa: S105


@dataclass(frozen=True)
class Visit:
    """
    The clicks of a visitor, newest first, and the ``method`` by which the first was found.

    ``reason``: why there are no clicks; "" if there are.
    """

    clicks: tuple[Click, ...] = ()
    method: AttributionMethod = AttributionMethod.NONE
    reason: str = ""


def visit_of(request: HttpRequest | None, token: str = "") -> Visit:
    """
    The clicks of the visitor who sends a request. Only the first counts.

    ``token``: a text that ``token()`` returned, for requests without the cookie, or if there is no request.
    By default it is read from the header ``X-PartnerStack-Token`` or the form field ``partnerstack_token``.
    Requests to the admin come from staff, whose clicks do not count. Safe to repeat. Does not raise for
    anything that a visitor sends.
    """
    if request is not None and _is_admin(request):
        return Visit(reason="Created in the admin.")
    if request is not None and not has_consent(request):
        return Visit(reason="The visitor has not consented.")
    brought = {AttributionMethod.TOKEN: _in_token(token)} if request is None else _brought(request, token)
    counting = {
        method: tuple(click for click in brought.get(method, ()) if not is_ignored(click))
        for method in AttributionMethod
    }
    if found := _newest(counting):
        return found
    if any(brought.values()):
        return Visit(reason="The partner is one of PARTNERSTACK_ATTRIBUTION_IGNORED_PARTNERS.")
    return Visit(reason="The visitor did not come by a partner's link, or the click was lost or is too old.")


def _newest(clicks_by: dict[AttributionMethod, tuple[Click, ...]]) -> Visit | None:
    signed = (AttributionMethod.TOKEN, AttributionMethod.COOKIE)
    method = max(signed, key=lambda method: [click.at for click in clicks_by[method][:1]])
    clicks = clicks_by[method]
    for click in clicks_by[AttributionMethod.LINK]:
        clicks = add_click(click, clicks)
        # A form on the landing page may be sent to the page's own address. That is not another click.
        method = AttributionMethod.LINK if clicks[0] == click else method
    if not (clicks and clicks[0].is_attributable) and clicks_by[AttributionMethod.PARTNERSTACK]:
        method = AttributionMethod.PARTNERSTACK
        clicks = clicks_by[method]
    return Visit(clicks, method) if clicks else None


def add_click(click: Click, history: tuple[Click, ...]) -> tuple[Click, ...]:
    """
    The history with a click added, newest first; unchanged if it is not another click.

    A page that is loaded again is not another click. Only the click ID can show that: without it, a link of
    the same partner counts as clicked again. A click without a partner never replaces a click with a partner.
    """
    if not click.is_attributable:
        return history or (click,)
    if click.click_id:
        known = any(click.click_id == each.click_id for each in history)
        return history if known else (click, *history)[: cookies.HISTORY_LENGTH]
    if history and not history[0].click_id and history[0].partner_key == click.partner_key:
        return (replace(history[0], at=click.at), *history[1:])
    return (click, *history)[: cookies.HISTORY_LENGTH]


def is_ignored(click: Click) -> bool:
    """Whether clicks of this partner do not count. By default the test partner's, in production mode."""
    ignored: Iterable[str] | None = conf.attribution_ignored_partners
    if ignored is None:
        ignored = ("gstest",) if conf.mode == Mode.PRODUCTION else ()
    return click.partner_key in ignored


def has_consent(request: HttpRequest) -> bool:
    """
    Whether PARTNERSTACK_ATTRIBUTION_CONSENT allows storing this visitor's clicks. True if it is not set.

    If the callable raises, the error is logged and the answer is False, so that the page still works.
    """
    if not conf.attribution_consent:
        return True
    try:
        return bool(import_string(conf.attribution_consent)(request))
    except Exception:
        logger.exception("PARTNERSTACK_ATTRIBUTION_CONSENT failed; the click is not stored.")
        return False


def remember(request: HttpRequest, response: HttpResponse) -> HttpResponse:
    """
    Store the click of a landing page in the cookie. Returns the response, unchanged if there is no new click.

    Safe to repeat. Does not raise for anything that a visitor sends.
    """
    click = clicked(request) if request.method == "GET" else None
    if click is None or is_ignored(click) or not has_consent(request):
        return response
    history = cookies.load(request)
    clicks = add_click(click, history)
    if clicks != history:
        cookies.save(response, clicks, request)
    return response


def token(request: HttpRequest) -> str:
    """
    The visitor's clicks as a signed text, for forms and apps that cannot rely on the cookie.

    "" without clicks. It expires after PARTNERSTACK_ATTRIBUTION_DAYS.
    """
    clicks = visit_of(request).clicks
    return cookies.dumps(clicks, salt=TOKEN_SALT) if clicks else ""


def _is_admin(request: HttpRequest) -> bool:
    match = request.resolver_match
    return match is not None and "admin" in match.app_names


def _brought(request: HttpRequest, token: str) -> dict[AttributionMethod, tuple[Click, ...]]:
    link, partnerstack = clicked(request), cookies.click_from_partnerstack_cookies(request)
    return {
        AttributionMethod.LINK: (link,) if link else (),
        AttributionMethod.TOKEN: _in_token(token or _token_in(request)),
        AttributionMethod.COOKIE: cookies.load(request),
        AttributionMethod.PARTNERSTACK: (partnerstack,) if partnerstack else (),
    }


def _in_token(token: str) -> tuple[Click, ...]:
    return cookies.loads(token, salt=TOKEN_SALT)


def _token_in(request: HttpRequest) -> str:
    if found := request.headers.get(TOKEN_HEADER, ""):
        return found
    try:
        return request.POST.get(TOKEN_FIELD, "")
    except (BadRequest, MultiPartParserError, OSError, SuspiciousOperation):
        # The body is not a form.
        return ""
