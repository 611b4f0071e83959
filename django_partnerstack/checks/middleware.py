"""
Whether ``AttributionMiddleware`` is there, sees what it must, and sets a cookie that browsers take.

It keeps a click while the response goes out. So it must stand above what may answer in its place, and above
what may put another response, without the cookie, in the place of its own. Three that look as if they did do
not matter. ``LoginRequiredMiddleware`` answers inside of all middleware. ``LocaleMiddleware`` and
``CommonMiddleware`` redirect to the same address with its parameters. ``UpdateCacheMiddleware`` stores no
response that is private, and the cookie makes it so.
"""

from __future__ import annotations

from typing import Any

from django.core.checks import CheckMessage, Warning
from django.utils.module_loading import import_string

from ..conf import Conf, conf

OURS = "django_partnerstack.middleware.AttributionMiddleware"

CACHED = "a page from the cache is answered before the click is seen"
REPLACED = "it puts a response of its own in the place of the one with the cookie"
MAKES_USERS = "it makes users before it is known whose request it is"
AFTER_OURS = {
    "django.middleware.cache.FetchFromCacheMiddleware": CACHED,
    "django.contrib.flatpages.middleware.FlatpageFallbackMiddleware": REPLACED,
    "django.contrib.redirects.middleware.RedirectFallbackMiddleware": REPLACED,
    "django.contrib.auth.middleware.RemoteUserMiddleware": MAKES_USERS,
}


def check_presence(**kwargs: Any) -> list[CheckMessage]:
    if any(OURS in _classes(path) for path in conf.middleware):
        return []
    prefix = "PARTNERSTACK_ATTRIBUTION_"
    given = [name for name in Conf.known() if name.startswith(prefix) and name in Conf.given()]
    needed = ["PARTNERSTACK_TRACKING_TOKEN"] if conf.tracking_token else []
    if not (needed := [*needed, *given]):
        return []
    return [
        Warning(
            f"{needed[0]} is set, and AttributionMiddleware is not in MIDDLEWARE: no click is remembered.",
            hint=f"Add '{OURS}' to MIDDLEWARE, near the top.",
            id="partnerstack.W005",
        )
    ]


def check_place(**kwargs: Any) -> list[CheckMessage]:
    paths = list(conf.middleware)
    ours = next((place for place, path in enumerate(paths) if OURS in _classes(path)), 0)
    return [
        Warning(
            f"{path.rpartition('.')[2]} stands above AttributionMiddleware: {reason}.",
            hint="Move AttributionMiddleware above it in MIDDLEWARE.",
            id="partnerstack.W006",
        )
        for path in paths[:ours]
        for name, reason in AFTER_OURS.items()
        if name in _classes(path)
    ]


def check_domain(**kwargs: Any) -> list[CheckMessage]:
    domain, hosts = conf.attribution_domain, conf.allowed_hosts
    if not domain or not hosts or "*" in hosts:
        return []
    if any(_is_below(str(host).lstrip(".").lower(), str(domain).lstrip(".").lower()) for host in hosts):
        return []
    return [
        Warning(
            "PARTNERSTACK_ATTRIBUTION_DOMAIN fits none of ALLOWED_HOSTS: browsers refuse its cookie.",
            hint="Set the domain that the hosts of this site share, such as '.example.com', or leave it out.",
            id="partnerstack.W007",
        )
    ]


def _is_below(host: str, domain: str) -> bool:
    return host == domain or host.endswith(f".{domain}")


def _classes(path: str) -> set[str]:
    """The names of a middleware and of the classes that it is made from."""
    try:
        middleware = import_string(path)
    except (ImportError, RuntimeError):  # It is not there, or its app is not: Django says so itself.
        return {path}
    made_from = getattr(middleware, "__mro__", ())
    return {path, *(f"{each.__module__}.{each.__qualname__}" for each in made_from)}
