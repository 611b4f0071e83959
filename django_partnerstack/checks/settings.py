"""Checks of what every site sets: names, mode, keys, URLs, time-outs, time zones."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches
from math import isfinite
from typing import Any, TypeGuard
from urllib.parse import SplitResult, urlsplit

from django.core.checks import CheckMessage, Error, Warning
from django.utils.module_loading import import_string

from ..client import validation
from ..conf import Conf, conf
from ..exceptions import InvalidArgument
from ..models.mirror import Mode

PUBLIC, SECRET, TOKEN = "PARTNERSTACK_PUBLIC_KEY", "PARTNERSTACK_SECRET_KEY", "PARTNERSTACK_TRACKING_TOKEN"


def check_names(**kwargs: Any) -> Iterator[CheckMessage]:
    known = Conf.known()
    for name in Conf.given():
        if name not in known:
            nearest = get_close_matches(name, known, n=1)
            hint = f"Did you mean {nearest[0]}?" if nearest else "Remove it; nothing reads it."
            yield Warning(f"{name} is not a setting of this app.", hint=hint, id="partnerstack.W002")


def check_mode(**kwargs: Any) -> Iterator[CheckMessage]:
    if conf.mode not in Mode.values:
        yield Error(
            'PARTNERSTACK_MODE must be "test" or "production".',
            hint="It is the mode of the key pair. PartnerStack shows both pairs side by side.",
            id="partnerstack.E005",
        )


def check_keys(**kwargs: Any) -> Iterator[CheckMessage]:
    """None counts as missing, because ``os.environ.get`` returns it."""
    given = {PUBLIC: conf.public_key, SECRET: conf.secret_key, TOKEN: conf.tracking_token}
    malformed = [*_malformed_keys(given)]
    yield from malformed or [*_incomplete_pair(), *_swapped_keys()]


def _malformed_keys(given: dict[str, Any]) -> Iterator[CheckMessage]:
    for name, key in given.items():
        if key is not None and not isinstance(key, str):
            yield Error(
                f"{name} is not a string.",
                hint="Give the key as a string, or remove the setting.",
                id="partnerstack.E004",
            )
        elif key and key != key.strip():
            yield Error(
                f"{name} has spaces or a line break around it.",
                hint="Remove them; PartnerStack would reject the key.",
                id="partnerstack.E003",
            )


def _incomplete_pair() -> Iterator[CheckMessage]:
    if not conf.public_key and not conf.secret_key:
        yield Warning(
            "No PartnerStack keys are set: the site runs, and nothing is exchanged with PartnerStack.",
            hint=f"Set {PUBLIC} and {SECRET}. PartnerStack shows both under Settings > Integrations.",
            id="partnerstack.W001",
        )
    elif not conf.has_keys:
        present, missing = (PUBLIC, SECRET) if conf.public_key else (SECRET, PUBLIC)
        yield Error(
            f"{present} is set without {missing}.", hint="Set both, or neither.", id="partnerstack.E001"
        )


def _swapped_keys() -> Iterator[CheckMessage]:
    """PartnerStack does not document the prefixes; all keys seen have them."""
    if (conf.public_key or "").startswith("sk_") or (conf.secret_key or "").startswith("pk_"):
        yield Error(
            f"{PUBLIC} and {SECRET} are swapped.",
            hint=f"{PUBLIC} is the key that begins with pk_, {SECRET} the key that begins with sk_.",
            id="partnerstack.E002",
        )


def check_urls(**kwargs: Any) -> Iterator[CheckMessage]:
    for name, url in given_urls().items():
        if is_url(url) and not url.lower().startswith("https://") and not is_loopback(url):
            yield Error(
                f"{name} must begin with https://, because keys are sent to it.", id="partnerstack.E007"
            )
        elif problem := _url_problem(name, url):
            example = Conf.known()[name].default
            yield Error(problem, hint=f"Give a complete URL, such as {example}", id="partnerstack.E006")


def _url_problem(name: str, url: object) -> str:
    """Why the value is not a URL, or not a URL that the client accepts."""
    if not is_url(url):
        return f"{name} is not a URL."
    try:
        validation.url(name, url)
    except InvalidArgument as error:
        return str(error)
    return ""


def check_timeouts(**kwargs: Any) -> Iterator[CheckMessage]:
    given = {
        "PARTNERSTACK_CONNECT_TIMEOUT": conf.connect_timeout,
        "PARTNERSTACK_READ_TIMEOUT": conf.read_timeout,
    }
    for name, seconds in given.items():
        if not is_number(seconds) or seconds <= 0:
            yield Error(f"{name} must be a number of seconds above 0.", id="partnerstack.E008")


def check_time_zones(**kwargs: Any) -> Iterator[CheckMessage]:
    if not conf.django.USE_TZ:
        yield Error(
            "USE_TZ is False, but the times that PartnerStack sends need a time zone.",
            hint="Set USE_TZ = True.",
            id="partnerstack.E023",
        )


def given_urls() -> dict[str, Any]:
    return {"PARTNERSTACK_API_URL": conf.api_url, "PARTNERSTACK_CONVERSION_URL": conf.conversion_url}


def is_url(value: object) -> TypeGuard[str]:
    """Whether it is a string with http or https and a host, without whitespace."""
    return isinstance(value, str) and not any(map(str.isspace, value)) and _split(value) is not None


def is_loopback(url: str) -> bool:
    """Whether the URL points to this machine, so that nobody on the way can read the keys."""
    parts = _split(url)
    return parts is not None and validation.is_loopback(parts.hostname or "")


def _split(url: str) -> SplitResult | None:
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018  raises ValueError for an invalid port
    except ValueError:
        return None
    return parts if parts.scheme in {"http", "https"} and parts.hostname else None


def is_number(value: object) -> bool:
    """Whether it is a finite number; True and False are not."""
    return isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value)


def is_function(path: object) -> bool:
    """Whether it is the dotted path of a callable."""
    try:
        return callable(import_string(path))  # type: ignore[arg-type]
    except (ImportError, AttributeError, TypeError, ValueError):
        return False
