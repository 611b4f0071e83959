"""The clicks of the visitor who makes a request, from wherever they are known."""

from __future__ import annotations

from collections.abc import Iterable
from contextvars import ContextVar
from dataclasses import dataclass
from urllib.parse import unquote

from django.http import HttpRequest
from django.http.request import RawPostDataException
from django.utils import timezone
from django.utils.module_loading import import_string

from ..conf import conf
from ..models import Way
from ..models.mirror import Mode
from . import cookie, parameters
from .parameters import Click

#: The request that is being answered, set by the middleware.
current: ContextVar[HttpRequest | None] = ContextVar("partnerstack_request", default=None)

TOKEN_SALT = "django_partnerstack.attribution.token"  # noqa: S105
TOKEN_FIELD = "partnerstack_token"  # noqa: S105
TOKEN_HEADER = "X-PartnerStack-Token"  # noqa: S105

#: PartnerStack's own cookies. Their partner keys are decoded already, also under the name that links encode.
THEIR_CLICK_IDS = ("ps_xid", "gsxid")
THEIR_PARTNER_KEYS = ("ps_partner_key", "growSumoPartnerKey")
THEIR_CLICK_ID_PREFIX = "_ps_xid_"


@dataclass(frozen=True)
class Visit:
    """What is known of how a visitor came: the clicks, the newest first, or why there are none."""

    clicks: tuple[Click, ...] = ()
    way: Way = Way.NONE
    reason: str = ""


def visit_of(request: HttpRequest, token: str = "") -> Visit:
    """
    The visit that a request belongs to. The last click wins.

    ``token``: from ``token()``, for requests that cannot carry the cookie; by default the form field
    ``partnerstack_token`` or the header ``X-PartnerStack-Token``.
    """
    if not has_consent(request):
        return Visit(reason="The visitor has not consented.")
    candidates = (
        Visit(_link(request), Way.LINK),
        *sorted(
            (
                Visit(cookie.loads(token or _token_in(request), salt=TOKEN_SALT), Way.TOKEN),
                Visit(cookie.loads(request.COOKIES.get(conf.attribution_cookie, "")), Way.COOKIE),
            ),
            key=_newest,
            reverse=True,
        ),
        Visit(_their_cookies(request), Way.PARTNERSTACK),
    )
    return next((visit for visit in map(_credited, candidates) if visit.clicks), _nothing(candidates))


def token(request: HttpRequest) -> str:
    """
    The visitor's clicks as signed text, for forms and apps that cannot rely on the cookie.

    "" if there are none.
    """
    clicks = visit_of(request).clicks
    return cookie.dumps(clicks, salt=TOKEN_SALT) if clicks else ""


def clicked(request: HttpRequest) -> Click | None:
    """The click that this request lands from, by its address alone."""
    query = request.META.get("QUERY_STRING", "")
    if "ps_" not in query and "gs" not in query:
        return None
    return parameters.read(request.GET, at=timezone.now(), path=request.path)


def has_consent(request: HttpRequest) -> bool:
    """Whether PARTNERSTACK_ATTRIBUTION_CONSENT allows to keep clicks of this visitor; yes without one."""
    return not conf.attribution_consent or bool(import_string(conf.attribution_consent)(request))


def is_ignored(click: Click) -> bool:
    """Whether the click is of a partner who is not credited: by default the test partner, in production."""
    ignored: Iterable[str] | None = conf.attribution_ignored_partners
    if ignored is None:
        ignored = ("gstest",) if conf.mode == Mode.PRODUCTION else ()
    return click.partner_key in ignored


def _credited(visit: Visit) -> Visit:
    return Visit(tuple(click for click in visit.clicks if not is_ignored(click)), visit.way)


def _nothing(candidates: Iterable[Visit]) -> Visit:
    if any(visit.clicks for visit in candidates):
        return Visit(reason="The partner is one of PARTNERSTACK_ATTRIBUTION_IGNORED_PARTNERS.")
    return Visit(reason="The visitor brought no click: none was made, or it was lost or is too old.")


def _newest(visit: Visit) -> float:
    return visit.clicks[0].at.timestamp() if visit.clicks else 0


def _link(request: HttpRequest) -> tuple[Click, ...]:
    click = clicked(request)
    return (click,) if click else ()


def _token_in(request: HttpRequest) -> str:
    if found := request.headers.get(TOKEN_HEADER, ""):
        return found
    try:
        return request.POST.get(TOKEN_FIELD, "")
    except (RawPostDataException, OSError):
        # The view has read the body as a stream; whatever it holds is its own.
        return ""


def _their_cookies(request: HttpRequest) -> tuple[Click, ...]:
    cookies = {name: unquote(value) for name, value in request.COOKIES.items()}
    named = [name for name in cookies if name.startswith(THEIR_CLICK_ID_PREFIX)]
    ids = (cookies.get(name, "") for name in (*THEIR_CLICK_IDS, *named))
    click_id = next(filter(parameters.is_click_id, ids), "")
    keys = (parameters.printable(cookies.get(name, "")) for name in THEIR_PARTNER_KEYS)
    partner_key = next(filter(None, keys), "")
    if not (click_id or partner_key):
        return ()
    return (Click(click_id=click_id, partner_key=partner_key, at=timezone.now()),)
