"""Running the system checks of this app with some settings."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.core import checks
from django.test import override_settings

KEYS: dict[str, Any] = {"PARTNERSTACK_PUBLIC_KEY": "pk_1", "PARTNERSTACK_SECRET_KEY": "sk_1"}
LIVE = {**KEYS, "PARTNERSTACK_MODE": "production"}


def run(*, deploy: bool = False, databases: Sequence[str] = (), **settings: Any) -> list[checks.CheckMessage]:
    with override_settings(**settings):
        return checks.run_checks(tags=["partnerstack"], include_deployment_checks=deploy, databases=databases)


def ids(**options: Any) -> list[str]:
    return [message.id.removeprefix("partnerstack.") for message in run(**options)]
