"""Whether the settings of attribution can be used."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

from django.core.checks import CheckMessage, Error, Warning

from .. import sources
from ..conf import conf
from .paths import is_function

#: What a cookie may be called (RFC 6265).
COOKIE_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+", re.ASCII)
PRIVACY = ("full", "contact", "hashed", "none")
CONSENT = "PARTNERSTACK_ATTRIBUTION_CONSENT"


def check_values(**kwargs: Any) -> list[CheckMessage]:
    return [*_consent(), *_ignored_partners(), *_cookie(), *_privacy(), *_days()]


def _consent() -> Iterator[CheckMessage]:
    if conf.attribution_consent and not is_function(conf.attribution_consent):
        yield Error(
            f"{CONSENT} is not the dotted path of a function: no click is kept.",
            hint="Name a function that is given the request, such as 'myapp.cookies.may_keep_clicks'.",
            id="partnerstack.E011",
        )


def _ignored_partners() -> Iterator[CheckMessage]:
    ignored = conf.attribution_ignored_partners
    if ignored is None:
        return
    is_list = isinstance(ignored, Iterable) and not isinstance(ignored, (str, bytes))
    if not is_list or not all(isinstance(key, str) for key in ignored):
        yield Error(
            "PARTNERSTACK_ATTRIBUTION_IGNORED_PARTNERS is not a list of partner keys.",
            hint="Write [] to ignore nobody; leave it out to ignore the test partner in production.",
            id="partnerstack.E012",
        )


def _cookie() -> Iterator[CheckMessage]:
    name = conf.attribution_cookie
    if not isinstance(name, str) or not COOKIE_NAME.fullmatch(name):
        yield Error(
            "PARTNERSTACK_ATTRIBUTION_COOKIE cannot be the name of a cookie.",
            hint="Use letters, digits, - and _.",
            id="partnerstack.E013",
        )


def _privacy() -> Iterator[CheckMessage]:
    if conf.privacy not in PRIVACY:
        yield Error(
            f"PARTNERSTACK_PRIVACY must be one of {', '.join(PRIVACY)}.",
            hint='The default is "contact": e-mail and name.',
            id="partnerstack.E014",
        )


def _days() -> Iterator[CheckMessage]:
    days = conf.attribution_days
    if not isinstance(days, int | float) or isinstance(days, bool) or not 0 < days < 3660:
        yield Error(
            "PARTNERSTACK_ATTRIBUTION_DAYS must be a number of days above zero.",
            hint="PartnerStack's own window is 90 days unless you have agreed on another.",
            id="partnerstack.E015",
        )


def check_snippet(**kwargs: Any) -> list[CheckMessage]:
    if not conf.snippet or not sources.customers:
        return []
    return [
        Warning(
            "PARTNERSTACK_SNIPPET is on, and this site reports its customers itself.",
            hint=(
                "Let PartnerStackJS track links alone: no page may call createSignup, which would report the "
                "same sign-up a second time. Silence this check if none does."
            ),
            id="partnerstack.W008",
        )
    ]
