from __future__ import annotations

from typing import Any

from django.core.checks import CheckMessage, Error, Warning

from ..conf import conf
from ..models.mirror import Mode
from .settings import given_urls
from .urls import is_loopback, is_url

#: What every key of the local sandbox contains.
SANDBOX_MARK = "sandbox"


def check_mode(**kwargs: Any) -> list[CheckMessage]:
    if conf.debug or conf.mode != Mode.TEST:
        return []
    return [
        Warning(
            "PartnerStack runs in test mode on a site with DEBUG = False: nobody earns a reward.",
            hint='Change your keys to production before launching, and set PARTNERSTACK_MODE = "production".',
            id="partnerstack.W003",
        )
    ]


def check_keys(**kwargs: Any) -> list[CheckMessage]:
    given = (conf.public_key, conf.secret_key, conf.tracking_token)
    if not any(SANDBOX_MARK in str(key) for key in given):
        return []
    return [
        Error(
            "A key or the tracking token is that of the local sandbox; PartnerStack does not know it.",
            hint="Set the production key pair and tracking token of your PartnerStack account.",
            id="partnerstack.E009",
        )
    ]


def check_urls(**kwargs: Any) -> list[CheckMessage]:
    return [
        Error(
            f"{name} points at this machine.",
            hint="Remove the setting; its default is PartnerStack's own address.",
            id="partnerstack.E010",
        )
        for name, url in given_urls().items()
        if is_url(url) and is_loopback(url)
    ]
