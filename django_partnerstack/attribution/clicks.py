"""
Which click counts: the newest that names a partner, wherever the visitor brings it from.

A visitor brings clicks in the address of the request, in that of the page before, in a token, in this site's
cookie and in those of scripts on other stacks. Clicks of ignored partners never count, and no click counts
without consent.
"""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime, timezone

from django.core.exceptions import BadRequest, SuspiciousOperation
from django.http import HttpRequest, HttpResponse
from django.http.multipartparser import MultiPartParserError

from ..models import AttributionMethod
from . import cookies, script_cookies
from .history import History, add_click, add_undated, merge
from .landing import clicked, clicked_before, may_arrive
from .parameters import Click
from .policy import has_consent, is_ignored

#: The request that is being answered; None outside a request. AttributionMiddleware sets it.
current: ContextVar[HttpRequest | None] = ContextVar("partnerstack_request", default=None)

TOKEN_SALT = "django_partnerstack.attribution.token"  # noqa: S105
#: The form field and the header that may carry a token.
TOKEN_FIELD = "partnerstack_token"  # noqa: S105
TOKEN_HEADER = "X-PartnerStack-Token"  # noqa: S105
#: The parameter in which an identity provider returns a text of the site, and what a token in it follows.
STATE = "state"
STATE_SEPARATOR = "~"

#: Which method is recorded if several contain the newest click.
PRECEDENCE = (
    AttributionMethod.TOKEN,
    AttributionMethod.COOKIE,
    AttributionMethod.LINK,
    AttributionMethod.PAGE_BEFORE,
    AttributionMethod.LANDING_SCRIPT,
    AttributionMethod.PARTNERSTACK,
)
LONG_AGO = datetime.min.replace(tzinfo=timezone.utc)

Brought = dict[AttributionMethod, History]


@dataclass(frozen=True)
class Visit:
    """
    The clicks of a visitor, newest first, and the ``method`` by which the first was found.

    ``reason``: why there are no clicks; "" if there are.
    """

    clicks: History = ()
    method: AttributionMethod = AttributionMethod.NONE
    reason: str = ""


def visit_of(request: HttpRequest | None, token: str = "") -> Visit:
    """
    The clicks of the visitor who sends a request. Only the first counts.

    ``token``: a text that ``token()`` returned, for requests without the cookie, or if there is no request.
    By default it is read from the header ``X-PartnerStack-Token``, the form field ``partnerstack_token`` or
    the ``state`` that an identity provider returns. Requests to the admin come from staff, whose clicks do
    not count. Safe to repeat. Does not raise for anything that a visitor sends.
    """
    if request is not None and _is_admin(request):
        return Visit(reason="Created in the admin.")
    if request is not None and not has_consent(request):
        return Visit(reason="The visitor has not consented.")
    brought = _brought(request, token)
    counting = _not_ignored(brought)
    if clicks := _in_order(counting):
        return Visit(clicks, _method_of(clicks[0], counting))
    if any(brought.values()):
        return Visit(reason="The partner is one of PARTNERSTACK_ATTRIBUTION_IGNORED_PARTNERS.")
    return Visit(reason="The visitor did not come by a partner's link, or the click was lost or is too old.")


def remember(request: HttpRequest, response: HttpResponse) -> HttpResponse:
    """
    Store the click of a landing page in the cookie. Returns the response, unchanged if there is no new click.

    The click may also be that of the page before, if the visitor consented there. Safe to repeat. Does not
    raise for anything that a visitor sends.
    """
    if not may_arrive(request):
        return response
    arriving = _not_ignored(_arriving(request))
    if not any(arriving.values()) or not has_consent(request):
        return response
    stored = cookies.load(request).clicks
    if _add_arriving(arriving, stored) != stored:
        clicks = _in_order({**_not_ignored(_in_cookies(request)), **arriving})
        cookies.save(response, cookies.Stored(clicks, " ".join(script_cookies.marks(request))), request)
    return response


def _is_admin(request: HttpRequest) -> bool:
    match = request.resolver_match
    return match is not None and "admin" in match.app_names


def _brought(request: HttpRequest | None, token: str) -> Brought:
    if request is None:
        return {AttributionMethod.TOKEN: _in_token(token)}
    in_token = _in_token(token) if token else _in_request(request)
    return {AttributionMethod.TOKEN: in_token, **_in_cookies(request), **_arriving(request)}


def _arriving(request: HttpRequest) -> Brought:
    link, before = clicked(request), clicked_before(request)
    return {
        AttributionMethod.LINK: (link,) if link else (),
        AttributionMethod.PAGE_BEFORE: (before,) if before else (),
    }


def _in_cookies(request: HttpRequest) -> Brought:
    """Without the scripts' clicks that this site's cookie was written with, because it contains them."""
    stored = cookies.load(request)
    script, landing = script_cookies.marks(request)
    undated = script_cookies.undated(request) if script not in stored.seen else None
    return {
        AttributionMethod.COOKIE: stored.clicks,
        AttributionMethod.LANDING_SCRIPT: script_cookies.dated(request) if landing not in stored.seen else (),
        AttributionMethod.PARTNERSTACK: (undated,) if undated else (),
    }


def _not_ignored(brought: Brought) -> Brought:
    return {
        method: tuple(click for click in clicks if not is_ignored(click))
        for method, clicks in brought.items()
    }


def _in_order(brought: Brought) -> History:
    """
    All clicks, the newest first.

    A click of unknown time in PartnerStack's cookies is newer than the clicks in other cookies of the same
    browser, which would contain it otherwise. A token may come from elsewhere: there it is not newer.
    """
    in_cookies = [
        brought.get(AttributionMethod.COOKIE, ()),
        brought.get(AttributionMethod.LANDING_SCRIPT, ()),
    ]
    token = brought.get(AttributionMethod.TOKEN, ())
    undated = next(iter(brought.get(AttributionMethod.PARTNERSTACK, ())), None)
    not_before = max((clicks[0].at for clicks in in_cookies if clicks), default=LONG_AGO)
    return _add_arriving(brought, merge((token, *in_cookies), undated, not_before=not_before))


def _add_arriving(brought: Brought, history: History) -> History:
    for click in brought.get(AttributionMethod.PAGE_BEFORE, ()):
        history = add_undated(click, history)
    for click in brought.get(AttributionMethod.LINK, ()):
        history = add_click(click, history)
    return history


def _method_of(click: Click, brought: Brought) -> AttributionMethod:
    """Which method found a click. The order may have changed the time of a click, but not which it is."""
    found = [(method, each) for method in PRECEDENCE for each in brought.get(method, ())]
    exact = next((method for method, each in found if each == click), None)
    return exact or next(method for method, each in found if each.is_same(click))


def _in_token(token: str) -> History:
    return cookies.loads(token, salt=TOKEN_SALT)


def _in_request(request: HttpRequest) -> History:
    """The clicks in the token that the request itself carries."""
    if found := request.headers.get(TOKEN_HEADER, ""):
        return _in_token(found)
    try:
        token = request.POST.get(TOKEN_FIELD, "")
        state = request.POST.get(STATE, "") or request.GET.get(STATE, "")
    except (BadRequest, MultiPartParserError, OSError, SuspiciousOperation, ValueError):
        # The body is not a form, or there are more parameters than Django accepts.
        return ()
    return _in_token(token or state.rpartition(STATE_SEPARATOR)[2])
