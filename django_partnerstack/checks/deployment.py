"""Checks for ``check --deploy``: what is fine in development and wrong on a live site."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.core.checks import CheckMessage, Error, Warning

from ..conf import conf
from ..models.mirror import Mode
from .settings import given_urls, is_loopback, is_url


def check_mode_is_live(**kwargs: Any) -> Iterator[CheckMessage]:
    if not conf.django.DEBUG and conf.mode == Mode.TEST:
        yield Warning(
            "PartnerStack runs in test mode on a site with DEBUG = False: no partner earns a reward.",
            hint='Change your keys to production before launching, and set PARTNERSTACK_MODE = "production".',
            id="partnerstack.W003",
        )


def check_keys_are_not_the_sandboxs(**kwargs: Any) -> Iterator[CheckMessage]:
    # Every key of the local sandbox contains "sandbox".
    if any("sandbox" in str(key) for key in (conf.public_key, conf.secret_key, conf.tracking_token)):
        yield Error(
            "A key or the tracking token belongs to the local sandbox; PartnerStack does not know it.",
            hint="Set the production key pair and tracking token of your PartnerStack account.",
            id="partnerstack.E009",
        )


def check_urls_are_remote(**kwargs: Any) -> Iterator[CheckMessage]:
    for name, url in given_urls().items():
        if is_url(url) and is_loopback(url):
            yield Error(
                f"{name} points to this machine.",
                hint="Remove the setting; its default is PartnerStack's own address.",
                id="partnerstack.E010",
            )


def check_push_is_enabled(**kwargs: Any) -> Iterator[CheckMessage]:
    if not conf.django.DEBUG and conf.push_enabled is False:
        yield Warning(
            "PARTNERSTACK_PUSH_ENABLED is False on a site with DEBUG = False: nothing is sent.",
            hint="Messages are queued; they are sent once you remove the setting.",
            id="partnerstack.W010",
        )
