"""Checks of what is reported to PartnerStack, and of how it is delivered."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from typing import Any

from django.core.checks import CheckMessage, Error, Warning
from django.core.exceptions import ImproperlyConfigured

from ..conf import conf
from ..identity.customers import DEFAULT_KEY
from ..worker.schedule import time_of_day
from .settings import is_function, is_number

#: How many requests a minute PartnerStack accepts from one address.
ALLOWED_PER_MINUTE = 4000
#: Leaves room for app, model and primary key.
LONGEST_PREFIX = 100
ON_DELETE = ("keep", "archive", "forget")
DISPATCH = ("worker", "immediate", "tasks", "celery")


def check_delivery_values(**kwargs: Any) -> Iterator[CheckMessage]:
    yield from _rate()
    switches: dict[str, object] = {
        "PARTNERSTACK_PUSH_ENABLED": conf.push_enabled,
        "PARTNERSTACK_SNIPPET": conf.snippet,
        "PARTNERSTACK_STRICT": conf.strict,
    }
    for name, value in switches.items():
        if not isinstance(value, bool):
            yield Error(
                f"{name} must be True or False.",
                hint="Convert a string from the environment, such as 'False', to a bool first.",
                id="partnerstack.E017",
            )
    durations = {
        "PARTNERSTACK_LOOKUP_GRACE": ("seconds", conf.lookup_grace),
        "PARTNERSTACK_RETENTION_DAYS": ("days", conf.retention_days),
        "PARTNERSTACK_SYNC_EVERY": ("seconds", conf.sync_every),
    }
    for name, (unit, duration) in durations.items():
        if not is_number(duration) or not 0 <= duration < 1_000_000:
            yield Error(f"{name} must be a number of {unit}, or 0.", id="partnerstack.E018")
    if conf.full_sync_at and not is_time_of_day(conf.full_sync_at):
        yield Error(
            'PARTNERSTACK_FULL_SYNC_AT must be a time of day, such as "03:30".',
            hint="It is in the site's TIME_ZONE. An empty string turns the daily full sync off.",
            id="partnerstack.E040",
        )
    if conf.customer_key != DEFAULT_KEY and not is_function(conf.customer_key):
        yield Error(
            "PARTNERSTACK_CUSTOMER_KEY is not the dotted path of a function.",
            hint="Name a function that takes the customer and returns its key, which must never change.",
            id="partnerstack.E019",
        )
    if not isinstance(conf.key_prefix, str) or len(conf.key_prefix) > LONGEST_PREFIX:
        yield Error(
            f"PARTNERSTACK_KEY_PREFIX must be a string of at most {LONGEST_PREFIX} characters.",
            hint="Choose a short name of this site, such as 'shop-', or remove the setting.",
            id="partnerstack.E024",
        )
    if conf.on_delete not in ON_DELETE:
        yield Error(
            f"PARTNERSTACK_ON_DELETE must be one of {', '.join(ON_DELETE)}.",
            hint='The default, "keep", tells PartnerStack nothing when an object of a customer is deleted.',
            id="partnerstack.E033",
        )


def is_time_of_day(value: object) -> bool:
    try:
        time_of_day(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return False
    return True


def _rate() -> Iterator[CheckMessage]:
    rate = conf.requests_per_minute
    if not is_number(rate) or rate <= 0:
        yield Error(
            "PARTNERSTACK_REQUESTS_PER_MINUTE must be a number above 0.",
            hint="Remove the setting for 3,600, or set PARTNERSTACK_PUSH_ENABLED = False to send nothing.",
            id="partnerstack.E016",
        )
    elif rate > ALLOWED_PER_MINUTE:
        yield Warning(
            f"PARTNERSTACK_REQUESTS_PER_MINUTE is above the {ALLOWED_PER_MINUTE:,} that PartnerStack allows.",
            hint="PartnerStack rejects requests above its limit, which delays all messages.",
            id="partnerstack.W009",
        )


def check_dispatch(**kwargs: Any) -> Iterator[CheckMessage]:
    dispatch = conf.dispatch
    if dispatch not in DISPATCH and not is_function(dispatch):
        yield Error(
            f"PARTNERSTACK_DISPATCH is neither one of {', '.join(DISPATCH)} nor the path of a function.",
            hint='The default, "worker", needs nothing but partnerstack_worker.',
            id="partnerstack.E020",
        )
    elif dispatch in ("tasks", "celery"):
        try:
            import_module(f"django_partnerstack.dispatch.{dispatch}")
        except ImproperlyConfigured as error:
            yield Error(
                "The tasks that PARTNERSTACK_DISPATCH names cannot be used.",
                hint=str(error),
                id="partnerstack.E021",
            )
