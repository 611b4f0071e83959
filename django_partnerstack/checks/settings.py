from __future__ import annotations

from difflib import get_close_matches
from math import isfinite
from typing import Any

from django.core.checks import CheckMessage, Error, Warning

from ..client import validation
from ..conf import Conf, conf
from ..exceptions import InvalidArgument
from ..models.mirror import Mode
from .urls import is_loopback, is_secure, is_url


def given_urls() -> dict[str, Any]:
    """The URL settings by name, as the site's settings have them."""
    return {"PARTNERSTACK_API_URL": conf.api_url, "PARTNERSTACK_CONVERSION_URL": conf.conversion_url}


def check_names(**kwargs: Any) -> list[CheckMessage]:
    known = Conf.known()
    return [_unknown(name, list(known)) for name in Conf.given() if name not in known]


def _unknown(name: str, known: list[str]) -> CheckMessage:
    nearest = get_close_matches(name, known, n=1)
    hint = f"Did you mean {nearest[0]}?" if nearest else "Remove it; nothing reads it."
    return Warning(f"{name} is not a setting of this app.", hint=hint, id="partnerstack.W002")


def check_mode(**kwargs: Any) -> list[CheckMessage]:
    if conf.mode in Mode.values:
        return []
    return [
        Error(
            'PARTNERSTACK_MODE must be "test" or "production".',
            hint="It says which kind of key pair this is; PartnerStack shows the two pairs side by side.",
            id="partnerstack.E005",
        )
    ]


def check_urls(**kwargs: Any) -> list[CheckMessage]:
    return [error for name, url in given_urls().items() for error in _url_errors(name, url)]


def _url_errors(name: str, url: object) -> list[CheckMessage]:
    if is_url(url) and not is_secure(url) and not is_loopback(url):
        return [
            Error(f"{name} must begin with https://, or keys can be read on the way.", id="partnerstack.E007")
        ]
    if problem := _refusal(name, url):
        hint = f"Give a whole one, such as {Conf.known()[name].default}"
        return [Error(problem, hint=hint, id="partnerstack.E006")]
    return []


def _refusal(name: str, url: object) -> str:
    """Why it is not a URL, or none that the client takes."""
    if not is_url(url):
        return f"{name} is not a URL."
    try:
        validation.url(name, url)
    except InvalidArgument as error:
        return str(error)
    return ""


def check_time_zones(**kwargs: Any) -> list[CheckMessage]:
    if conf.use_tz:
        return []
    return [
        Error(
            "USE_TZ is False, and PartnerStack's times are moments that need a time zone.",
            hint="Set USE_TZ = True.",
            id="partnerstack.E023",
        )
    ]


def check_timeouts(**kwargs: Any) -> list[CheckMessage]:
    given = {
        "PARTNERSTACK_CONNECT_TIMEOUT": conf.connect_timeout,
        "PARTNERSTACK_READ_TIMEOUT": conf.read_timeout,
    }
    return [
        Error(f"{name} must be a number of seconds above zero.", id="partnerstack.E008")
        for name, seconds in given.items()
        if not _is_duration(seconds)
    ]


def _is_duration(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value) and value > 0
