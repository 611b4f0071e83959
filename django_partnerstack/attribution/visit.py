"""The clicks of the visitor who makes a request, from wherever they are known."""

from __future__ import annotations

from collections.abc import Iterable
from contextvars import ContextVar
from dataclasses import dataclass

from django.core.exceptions import BadRequest, SuspiciousOperation
from django.http import HttpRequest
from django.http.multipartparser import MultiPartParserError

from ..conf import conf
from ..models import AttributionMethod
from . import cookie, history
from .landing import clicked, has_consent, is_ignored
from .parameters import Click
from .theirs import their_click

#: The request that is being answered, set by the middleware.
current: ContextVar[HttpRequest | None] = ContextVar("partnerstack_request", default=None)

TOKEN_SALT = "django_partnerstack.attribution.token"  # noqa: S105
TOKEN_FIELD = "partnerstack_token"  # noqa: S105
TOKEN_HEADER = "X-PartnerStack-Token"  # noqa: S105


@dataclass(frozen=True)
class Visit:
    """What is known of how a visitor came: the clicks, the newest first, or why there are none."""

    clicks: tuple[Click, ...] = ()
    method: AttributionMethod = AttributionMethod.NONE
    reason: str = ""


def visit_of(request: HttpRequest | None, token: str = "") -> Visit:
    """
    The visit that a request belongs to. The last click wins.

    ``token``: from ``token()``, for requests that cannot carry the cookie, or where there is no request; by
    default the header ``X-PartnerStack-Token`` or the form field ``partnerstack_token``. What is made in the
    admin has no visitor, only staff.
    """
    if request is not None and _is_admin(request):
        return Visit(reason="Made in the admin.")
    if request is not None and not has_consent(request):
        return Visit(reason="The visitor has not consented.")
    found = _in_request(request, token) if request is not None else (_in_token(token),)
    credited = {visit.method: visit for visit in map(_credited, found) if visit.clicks}
    kept = max(
        (credited.get(way, Visit()) for way in (AttributionMethod.TOKEN, AttributionMethod.COOKIE)),
        key=_newest,
    )
    link, theirs = credited.get(AttributionMethod.LINK), credited.get(AttributionMethod.PARTNERSTACK)
    ours = _with_link(link.clicks[0], kept) if link else kept
    if theirs and (not ours.clicks or ours.clicks[0].names_nobody):
        return theirs
    return ours if ours.clicks else _nothing(found)


def token(request: HttpRequest) -> str:
    """
    The visitor's clicks as signed text, for forms and apps that cannot rely on the cookie.

    "" if there are none.
    """
    clicks = visit_of(request).clicks
    return cookie.dumps(clicks, salt=TOKEN_SALT) if clicks else ""


def _credited(visit: Visit) -> Visit:
    return Visit(tuple(click for click in visit.clicks if not is_ignored(click)), visit.method)


def _nothing(candidates: Iterable[Visit]) -> Visit:
    if any(visit.clicks for visit in candidates):
        return Visit(reason="The partner is one of PARTNERSTACK_ATTRIBUTION_IGNORED_PARTNERS.")
    return Visit(reason="The visitor brought no click: none was made, or it was lost or is too old.")


def _newest(visit: Visit) -> float:
    return visit.clicks[0].at.timestamp() if visit.clicks else 0


def _is_admin(request: HttpRequest) -> bool:
    match = request.resolver_match
    return match is not None and "admin" in match.app_names


def _in_request(request: HttpRequest, token: str) -> tuple[Visit, ...]:
    click, their = clicked(request), their_click(request)
    return (
        Visit((click,) if click else (), AttributionMethod.LINK),
        _in_token(token or _token_in(request)),
        Visit(cookie.loads(request.COOKIES.get(conf.attribution_cookie, "")), AttributionMethod.COOKIE),
        Visit((their,) if their else (), AttributionMethod.PARTNERSTACK),
    )


def _in_token(token: str) -> Visit:
    return Visit(cookie.loads(token, salt=TOKEN_SALT), AttributionMethod.TOKEN)


def _with_link(click: Click, kept: Visit) -> Visit:
    """A form on the landing page is sent to the page's own address: that is no other click."""
    clicks = history.add(click, kept.clicks)
    return Visit(clicks, AttributionMethod.LINK if clicks[0] == click else kept.method)


def _token_in(request: HttpRequest) -> str:
    if found := request.headers.get(TOKEN_HEADER, ""):
        return found
    try:
        return request.POST.get(TOKEN_FIELD, "")
    except (BadRequest, MultiPartParserError, OSError, SuspiciousOperation):
        # No form, whatever it is.
        return ""
