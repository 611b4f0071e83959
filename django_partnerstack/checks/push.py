"""Whether the settings of what is told to PartnerStack can be used."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from math import isfinite
from typing import Any

from django.core.checks import CheckMessage, Error, Warning
from django.core.exceptions import ImproperlyConfigured
from django.db import router

from .. import sources
from ..conf import conf
from ..models import OutboxMessage
from .paths import is_function

#: Requests that PartnerStack takes from one address in a minute.
ALLOWED = 4000
WORDS = ("worker", "immediate", "tasks", "celery")


def check_values(**kwargs: Any) -> list[CheckMessage]:
    return [*_pace(), *_switches(), *_numbers(), *_customer_key()]


def _pace() -> Iterator[CheckMessage]:
    pace = conf.requests_per_minute
    if not _is_number(pace) or pace <= 0:
        yield Error(
            "PARTNERSTACK_REQUESTS_PER_MINUTE must be a number above zero.",
            hint="Leave it out for 3,600, or set PARTNERSTACK_PUSH_ENABLED = False to send nothing.",
            id="partnerstack.E016",
        )
    elif pace > ALLOWED:
        yield Warning(
            f"PARTNERSTACK_REQUESTS_PER_MINUTE is above the {ALLOWED:,} that PartnerStack allows.",
            hint="Beyond that it refuses requests; everything arrives later, not sooner.",
            id="partnerstack.W009",
        )


def _switches() -> Iterator[CheckMessage]:
    given: dict[str, object] = {
        "PARTNERSTACK_PUSH_ENABLED": conf.push_enabled,
        "PARTNERSTACK_SNIPPET": conf.snippet,
        "PARTNERSTACK_STRICT": conf.strict,
    }
    for name, value in given.items():
        if not isinstance(value, bool):
            yield Error(
                f"{name} must be True or False.",
                hint="Text from the environment, such as 'False', is not: turn it into a bool first.",
                id="partnerstack.E017",
            )


def _numbers() -> Iterator[CheckMessage]:
    given = {
        "PARTNERSTACK_LOOKUP_GRACE": ("seconds", conf.lookup_grace),
        "PARTNERSTACK_RETENTION_DAYS": ("days", conf.retention_days),
    }
    for name, (unit, value) in given.items():
        if not _is_number(value) or not 0 <= value < 1_000_000:
            yield Error(f"{name} must be a number of {unit}, or 0.", id="partnerstack.E018")


def _customer_key() -> Iterator[CheckMessage]:
    if conf.customer_key != "<model>-<pk>" and not is_function(conf.customer_key):
        yield Error(
            "PARTNERSTACK_CUSTOMER_KEY is not the dotted path of a function.",
            hint="Name a function that is given the customer and returns its key, for good.",
            id="partnerstack.E019",
        )


def check_dispatch(**kwargs: Any) -> list[CheckMessage]:
    dispatch = conf.dispatch
    if dispatch not in WORDS and not is_function(dispatch):
        return [
            Error(
                "PARTNERSTACK_DISPATCH is none of its words, and not the dotted path of a function.",
                hint=f"Its words are {', '.join(WORDS)}.",
                id="partnerstack.E020",
            )
        ]
    if dispatch not in ("tasks", "celery"):
        return []
    try:
        import_module(f"django_partnerstack.dispatch.{dispatch}")
    except ImproperlyConfigured as error:
        return [
            Error(
                "The tasks that PARTNERSTACK_DISPATCH asks for cannot be used.",
                hint=str(error),
                id="partnerstack.E021",
            )
        ]
    return []


def check_router(**kwargs: Any) -> list[CheckMessage]:
    """A message must be written in the transaction of what it reports, and read from where it was written."""
    ours = router.db_for_write(OutboxMessage)
    return [
        Error(
            f"{model._meta.label} is written to another database than this app's messages.",
            hint="Let the database router write both to the same one, or take its source away.",
            obj=model,
            id="partnerstack.E022",
        )
        for model in {**sources.customers, **sources.transactions}
        if not model._meta.abstract and router.db_for_write(model) != ours
    ]


def check_enabled(**kwargs: Any) -> list[CheckMessage]:
    if conf.debug or conf.push_enabled is not False:
        return []
    return [
        Warning(
            "PARTNERSTACK_PUSH_ENABLED is False on a site with DEBUG = False: PartnerStack is told nothing.",
            hint="Messages are kept; they leave when the setting is gone.",
            id="partnerstack.W010",
        )
    ]


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value)
