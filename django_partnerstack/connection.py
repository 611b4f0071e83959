"""Clients with the keys, URLs and time-outs of the settings."""

from __future__ import annotations

import sys
from typing import Any
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured
from django.utils.crypto import salted_hmac

from .client import Client, sockets
from .client.validation import is_loopback
from .conf import conf
from .exceptions import PartnerStackError

#: Why a request of a test run is not sent.
REFUSED = (
    "not sent, because this is a test run. Use the fixture partnerstack or PartnerStackMixin of "
    'django_partnerstack.testing, or set PARTNERSTACK_TEST_NETWORK to "loopback" or "allowed".'
)


class ConfigurationError(PartnerStackError, ImproperlyConfigured):
    """PartnerStack cannot be reached with these settings. The message says which to change."""


def get_client(**options: Any) -> Client:
    """
    A new client with the key pair, URLs and time-outs of the settings. Threads may share it.

    ``options``: further arguments of ``Client``, such as ``deadline``.

    Raises ``ConfigurationError`` if there is no key pair or a setting cannot be used.
    """
    if not conf.has_keys:
        raise ConfigurationError(
            "PARTNERSTACK_PUBLIC_KEY and PARTNERSTACK_SECRET_KEY are not set. "
            "Copy the key pair from PartnerStack: Settings > Integrations > PartnerStack API Keys."
        )
    try:
        return Client(
            conf.public_key,
            conf.secret_key,
            api_url=conf.api_url,
            timeout=(conf.connect_timeout, conf.read_timeout),
            tracking_token=conf.tracking_token,
            conversion_url=conf.conversion_url,
            **options,
        )
    except (TypeError, ValueError) as error:
        raise ConfigurationError(f"The PARTNERSTACK_… settings cannot be used: {error}") from error


def guard_test_runs() -> None:
    """Let no client of this process reach PartnerStack in a test run. Safe to repeat."""
    if sockets.substitute is None:
        sockets.substitute = _refuse_in_tests


def _refuse_in_tests(url: str) -> sockets.RefusingAdapter | None:
    if not is_test_run() or conf.test_network == "allowed":
        return None
    if conf.test_network == "loopback" and is_loopback(urlsplit(url).hostname or ""):
        return None
    return sockets.RefusingAdapter(REFUSED)


def is_test_run() -> bool:
    """Whether Django's test environment is set up, as ``manage.py test`` and pytest-django do."""
    utils = sys.modules.get("django.test.utils")
    return hasattr(getattr(utils, "_TestState", None), "saved_data")


def fingerprint_of_keys() -> str:
    """
    Tells the site's key pair from another, and nothing else about it; empty without keys.

    It is signed with the site's ``SECRET_KEY``, so nobody who reads it can try keys.
    """
    if not conf.has_keys:
        return ""
    pair = f"{conf.public_key}\0{conf.secret_key}"
    return salted_hmac("django_partnerstack.keys", pair, algorithm="sha256").hexdigest()
