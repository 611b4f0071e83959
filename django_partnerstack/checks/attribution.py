"""
Checks of attribution: its settings, and whether ``AttributionMiddleware`` sees every click.

The middleware saves a click while the response passes through it. So it must be above any middleware that may
answer before it, or that replaces the response and thereby drops its cookie. Three others look as if they
mattered, but do not: ``LoginRequiredMiddleware`` answers after all middleware has seen the request;
``LocaleMiddleware`` and ``CommonMiddleware`` keep the parameters when they redirect;
``UpdateCacheMiddleware`` does not store private responses, and a response with this cookie is private.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

from django.core.checks import CheckMessage, Error, Warning

from .. import sources
from ..attribution.installed import MIDDLEWARE, classes_of, is_installed
from ..conf import Conf, conf
from .settings import is_function, is_number

#: The characters of a cookie's name (RFC 6265).
COOKIE_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+", re.ASCII)
SAME_SITE = ("", "Lax", "None")
PRIVACY = ("full", "contact", "hashed", "none")

ANSWERS_FROM_CACHE = "it answers with a cached page before the click is seen"
REPLACES_RESPONSE = "it replaces the response, and with it the cookie"
CREATES_USERS = "it creates users before the click is read"
MUST_BE_BELOW = {
    "django.middleware.cache.FetchFromCacheMiddleware": ANSWERS_FROM_CACHE,
    "django.contrib.flatpages.middleware.FlatpageFallbackMiddleware": REPLACES_RESPONSE,
    "django.contrib.redirects.middleware.RedirectFallbackMiddleware": REPLACES_RESPONSE,
    "django.contrib.auth.middleware.RemoteUserMiddleware": CREATES_USERS,
}


def check_attribution_values(**kwargs: Any) -> Iterator[CheckMessage]:
    if conf.attribution_consent and not is_function(conf.attribution_consent):
        yield Error(
            "PARTNERSTACK_ATTRIBUTION_CONSENT is not the dotted path of a function: no click is remembered.",
            hint="Name a function that takes the request, such as 'myapp.cookies.may_keep_clicks'.",
            id="partnerstack.E011",
        )
    if not _is_list_of_keys(conf.attribution_ignored_partners):
        yield Error(
            "PARTNERSTACK_ATTRIBUTION_IGNORED_PARTNERS is not a list of partner keys.",
            hint="Write [] to ignore no partner. Without the setting, production ignores the test partner.",
            id="partnerstack.E012",
        )
    name = conf.attribution_cookie
    if not isinstance(name, str) or not COOKIE_NAME.fullmatch(name):
        yield Error(
            "PARTNERSTACK_ATTRIBUTION_COOKIE is not a valid cookie name.",
            hint="Use letters, digits, - and _.",
            id="partnerstack.E013",
        )
    if conf.privacy not in PRIVACY:
        yield Error(
            f"PARTNERSTACK_PRIVACY must be one of {', '.join(PRIVACY)}.",
            hint='The default is "contact": e-mail and name.',
            id="partnerstack.E014",
        )
    if not is_number(conf.attribution_days) or not 0 < conf.attribution_days < 3660:
        yield Error(
            "PARTNERSTACK_ATTRIBUTION_DAYS must be a number of days above 0.",
            hint="PartnerStack's own window is 90 days unless you have agreed on another.",
            id="partnerstack.E015",
        )
    if conf.attribution_samesite not in SAME_SITE:
        yield Error(
            'PARTNERSTACK_ATTRIBUTION_SAMESITE must be "Lax", "None" or empty.',
            hint=(
                '"None" is for sign-ups that another site posts to yours. "Strict" would lose the click when '
                "an identity provider redirects back."
            ),
            id="partnerstack.E031",
        )
    count = conf.trusted_proxy_count
    if not is_number(count) or count < 0 or count != int(count):
        yield Error(
            "PARTNERSTACK_TRUSTED_PROXY_COUNT must be 0 or a number of proxies.",
            hint="Count the proxies of your own that add an address to X-Forwarded-For, such as 1 for nginx.",
            id="partnerstack.E032",
        )


def _is_list_of_keys(keys: object) -> bool:
    """None is the default."""
    if keys is None:
        return True
    if not isinstance(keys, Iterable) or isinstance(keys, (str, bytes)):
        return False
    return all(isinstance(key, str) for key in keys)


def check_snippet(**kwargs: Any) -> Iterator[CheckMessage]:
    if conf.snippet and sources.customers:
        yield Warning(
            "PARTNERSTACK_SNIPPET is on, and this site reports its customers itself.",
            hint=(
                "Use PartnerStackJS only to track links: no page may call createSignup, because that would "
                "report the same sign-up again. Silence this check if no page does."
            ),
            id="partnerstack.W008",
        )


def check_middleware_is_installed(**kwargs: Any) -> Iterator[CheckMessage]:
    if is_installed():
        return
    token = ["PARTNERSTACK_TRACKING_TOKEN"] if conf.tracking_token else []
    given = [name for name in Conf.given() if name.startswith("PARTNERSTACK_ATTRIBUTION_")]
    for name in [*token, *(name for name in Conf.known() if name in given)][:1]:
        yield Warning(
            f"{name} is set, but AttributionMiddleware is not in MIDDLEWARE: no click is remembered.",
            hint=f"Add '{MIDDLEWARE}' to MIDDLEWARE, near the top.",
            id="partnerstack.W005",
        )


def check_middleware_order(**kwargs: Any) -> Iterator[CheckMessage]:
    paths = list(conf.django.MIDDLEWARE)
    position = next((place for place, path in enumerate(paths) if MIDDLEWARE in classes_of(path)), 0)
    for path in paths[:position]:
        for name in classes_of(path) & MUST_BE_BELOW.keys():
            yield Warning(
                f"{path.rpartition('.')[2]} is above AttributionMiddleware: {MUST_BE_BELOW[name]}.",
                hint="Move AttributionMiddleware above it in MIDDLEWARE.",
                id="partnerstack.W006",
            )


def check_cookie_domain(**kwargs: Any) -> Iterator[CheckMessage]:
    domain, hosts = conf.attribution_domain, conf.django.ALLOWED_HOSTS
    if not domain or not hosts or "*" in hosts:
        return
    domain = str(domain).lstrip(".").lower()
    if not any(f".{str(host).lstrip('.').lower()}".endswith(f".{domain}") for host in hosts):
        yield Warning(
            "PARTNERSTACK_ATTRIBUTION_DOMAIN fits none of ALLOWED_HOSTS: browsers reject its cookie.",
            hint="Set a domain that the hosts share, such as '.example.com', or remove the setting.",
            id="partnerstack.W007",
        )
