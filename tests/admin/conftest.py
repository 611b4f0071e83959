from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.db.models import Model
from django.test import Client
from django.utils import timezone

from django_partnerstack.models import (
    Attribution,
    OutboxLane,
    OutboxMessage,
    State,
    SyncState,
    ThrottleState,
)
from django_partnerstack.outbox.queue.messages import fingerprint
from django_partnerstack.resources import RESOURCES
from django_partnerstack.sandbox import TEST_KEYS, Sandbox

MIRRORS = [resource.model for resource in RESOURCES.values()]


@pytest.fixture
def staff(db: None) -> Callable[..., Client]:
    """Logs in somebody of the staff who holds these permissions of our app, and no other."""

    def log_in(*codenames: str) -> Client:
        user = User.objects.create_user("staff", is_staff=True)
        granted = Permission.objects.filter(content_type__app_label="partnerstack", codename__in=codenames)
        assert granted.count() == len(codenames)
        user.user_permissions.set(granted)
        browser = Client()
        browser.force_login(user)
        return browser

    return log_in


@pytest.fixture
def browser(staff: Callable[..., Client]) -> Client:
    """Somebody who may see everything of ours."""
    others = (Attribution, SyncState, OutboxMessage, OutboxLane, ThrottleState)
    return staff(*(f"view_{model._meta.model_name}" for model in (*MIRRORS, *others)))


@pytest.fixture
def partnerstack(settings: Any) -> Iterator[Sandbox]:
    """A sandbox behind a socket, and a site that is set up to use it."""
    sandbox = Sandbox()
    settings.PARTNERSTACK_PUBLIC_KEY, settings.PARTNERSTACK_SECRET_KEY = TEST_KEYS
    settings.PARTNERSTACK_READ_TIMEOUT = 2
    with sandbox.serve() as server:
        settings.PARTNERSTACK_API_URL = f"{server.url}/api/v2"
        yield sandbox


def queue(
    state: State = State.DELIVERED, operation: str = "customers.update", **columns: Any
) -> OutboxMessage:
    """A message of one customer, as it would lie in the outbox."""
    payload = columns.setdefault("payload", {"customer_key": "account-1"})
    given = {"mode": "test", "lane": "customer:account-1", "subject": "account-1", **columns}
    given.setdefault("queued_at", timezone.now())
    return OutboxMessage.objects.create(
        state=state, operation=operation, fingerprint=fingerprint(payload), **given
    )


def take(browser: Client, action: str, *rows: Model, query: str = "", **form: Any) -> list[tuple[int, str]]:
    """What the page says after an action was taken on these rows."""
    form |= {"action": action, "index": 0, "_selected_action": [row.pk for row in rows]}
    answer = browser.post(f"{list_url(type(rows[0]))}{query}", form, follow=True)
    return [(message.level, message.message) for message in answer.context["messages"]]


def list_url(model: type[Model]) -> str:
    return f"/admin/{model._meta.app_label}/{model._meta.model_name}/"


def page_url(row: Model) -> str:
    return f"{list_url(type(row))}{row.pk}/change/"
