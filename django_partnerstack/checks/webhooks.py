"""Checks of what receiving webhooks needs: secrets, a URL, middleware that lets deliveries pass, a worker."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

from django.core.checks import CheckMessage, Error, Warning
from django.db import DatabaseError, router, transaction
from django.utils import timezone
from django.utils.module_loading import import_string

from ..conf import conf
from ..exceptions import EndpointError
from ..insight.status import LEFT_AFTER, read_workers
from ..models import WebhookEvent, WebhookState
from ..webhooks.endpoints import path_of_secret
from ..webhooks.queue import events

#: The shortest secret, in characters, that nobody guesses.
SHORTEST_SECRET = 32

#: Parts of the names of middleware that refuses requests without a session or a password.
REFUSES = re.compile(r"basic_?auth|login_?required|require_?login|csrf", re.IGNORECASE)


def check_webhook_secrets(**kwargs: Any) -> Iterator[CheckMessage]:
    given = conf.webhook_secrets
    if not isinstance(given, (list, tuple)) or not all(isinstance(secret, str) for secret in given):
        yield Error(
            "PARTNERSTACK_WEBHOOK_SECRETS is not a list of strings.",
            hint="Give a list, such as [env('PARTNERSTACK_WEBHOOK_SECRET')].",
            id="partnerstack.E050",
        )
        return
    if any(len(secret) < SHORTEST_SECRET for secret in given):
        yield Error(
            f"A secret in PARTNERSTACK_WEBHOOK_SECRETS is shorter than {SHORTEST_SECRET} characters.",
            hint='Make one with: python -c "import secrets; print(secrets.token_urlsafe(32))"',
            id="partnerstack.E051",
        )
    elif any(not re.fullmatch(r"[\w.~-]+", secret, re.ASCII) for secret in given):
        yield Error(
            "A secret in PARTNERSTACK_WEBHOOK_SECRETS has characters that a URL encodes.",
            hint="Use letters, digits, and - . _ ~ only.",
            id="partnerstack.E052",
        )


def check_webhook_url(**kwargs: Any) -> Iterator[CheckMessage]:
    if not conf.usable_webhook_secrets or not getattr(conf.django, "ROOT_URLCONF", ""):
        return
    try:
        path_of_secret()
    except EndpointError as error:
        yield Warning(
            "PARTNERSTACK_WEBHOOK_SECRETS is set, but there is no URL that receives webhooks.",
            hint=str(error),
            id="partnerstack.W050",
        )


def check_webhook_middleware(**kwargs: Any) -> Iterator[CheckMessage]:
    """
    Django's own middleware respects that the view needs neither a login nor a CSRF token.

    So does a subclass, unless it overrides the method that decides.
    """
    if not conf.usable_webhook_secrets:
        return
    for path in conf.django.MIDDLEWARE:
        if REFUSES.search(path) and not _is_djangos(path):
            yield Warning(
                f"{path.rpartition('.')[2]} may refuse webhooks: PartnerStack sends no session or password.",
                hint="Let it pass requests to this app's URL of webhooks, then silence this check.",
                id="partnerstack.W051",
            )


def _is_djangos(path: str) -> bool:
    try:
        middleware = import_string(path)
    except (ImportError, RuntimeError):  # Not importable, or its app is not installed: Django reports it.
        return True
    deciding = (getattr(middleware, name, None) for name in ("process_view", "__call__"))
    return all(getattr(method, "__module__", "").startswith("django.") for method in deciding)


def check_webhooks_are_processed(
    *, databases: Iterable[str] | None = None, **kwargs: Any
) -> Iterator[CheckMessage]:
    """A worker that is restarted, or was just deployed, has an hour to come back."""
    alias = router.db_for_write(WebhookEvent)
    if not conf.usable_webhook_secrets or alias not in (databases or ()):
        return
    since = timezone.now() - LEFT_AFTER
    waiting = events().filter(mode=conf.mode, state=WebhookState.RECEIVED, attempts=0, due_at__lt=since)
    try:
        with transaction.atomic(using=alias):
            seen_at = read_workers(conf.mode, timezone.now()).seen_at
            is_waiting = waiting.exists()
    except DatabaseError:  # The tables do not exist yet.
        return
    if seen_at is None or seen_at < since:
        seen = "" if seen_at is None else f" The last was seen at {seen_at:%Y-%m-%d %H:%M} UTC."
        yield Warning(
            f"PARTNERSTACK_WEBHOOK_SECRETS is set, and no worker was seen for an hour.{seen}",
            hint="Run partnerstack_worker as a service. "
            "If a task or cron processes the events instead, silence this check.",
            id="partnerstack.W052",
        )
    elif is_waiting:
        yield Warning(
            "Webhook events have waited for more than an hour, although a worker was seen.",
            hint="Restart partnerstack_worker with the site's settings. The admin shows what each one does.",
            id="partnerstack.W053",
        )
