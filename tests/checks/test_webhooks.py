from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.middleware.csrf import CsrfViewMiddleware
from django.utils import timezone

from django_partnerstack.models import WebhookEvent, Worker

from .run import KEYS, ids, run

SECRET = "x" * 32
#: This module as the URLs of a site without those of this app.
urlpatterns: list[Any] = []


def found(*secrets: Any, **options: Any) -> list[str]:
    return ids(**KEYS, PARTNERSTACK_WEBHOOK_SECRETS=list(secrets), **options)


def test_a_random_secret_is_fine_and_so_is_none() -> None:
    assert found(SECRET, "a-_.~" * 8) == found() == []


@pytest.mark.parametrize("secrets", [SECRET, None, [5], {SECRET: 1}])
def test_what_is_not_a_list_of_strings_is_an_error(secrets: Any) -> None:
    assert ids(**KEYS, PARTNERSTACK_WEBHOOK_SECRETS=secrets) == ["E050"]


@pytest.mark.parametrize("secret", ["", "x" * 31])
def test_a_secret_that_can_be_guessed_is_an_error(secret: str) -> None:
    assert found(SECRET, secret) == ["E051"]


@pytest.mark.parametrize("character", ["/", "%", " ", "ß", "?"])
def test_a_secret_that_a_url_encodes_is_an_error(character: str) -> None:
    assert found(SECRET + character) == ["E052"]


def test_secrets_without_a_url_are_a_warning() -> None:
    assert found(SECRET, ROOT_URLCONF=__name__) == ["W050"]
    assert found(ROOT_URLCONF=__name__) == []


class OwnCsrf(CsrfViewMiddleware):
    """Inherits what lets deliveries pass."""


class StrictCsrf(CsrfViewMiddleware):
    def process_view(self, request: Any, view: Any, args: Any, kwargs: Any) -> None:
        """Refuses what Django lets pass."""


class BasicAuthMiddleware:
    def __init__(self, get_response: Any) -> None:
        pass


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("django.middleware.csrf.CsrfViewMiddleware", []),
        ("django.contrib.auth.middleware.LoginRequiredMiddleware", []),
        (f"{__name__}.OwnCsrf", []),
        (f"{__name__}.StrictCsrf", ["W051"]),
        (f"{__name__}.BasicAuthMiddleware", ["W051"]),
        ("nowhere.basicauth", []),
    ],
)
def test_middleware_that_may_refuse_deliveries_is_a_warning(path: str, expected: list[str]) -> None:
    assert found(SECRET, MIDDLEWARE=[path]) == expected
    assert found(MIDDLEWARE=[path]) == []


def seen(**ago: float) -> None:
    Worker.objects.create(mode="test", seen_at=timezone.now() - timedelta(**ago))


@pytest.mark.django_db
def test_secrets_without_a_worker_for_an_hour_are_a_warning() -> None:
    [warning] = run(**KEYS, PARTNERSTACK_WEBHOOK_SECRETS=[SECRET], databases=["default"])
    assert warning.id == "partnerstack.W052"
    assert warning.msg == "PARTNERSTACK_WEBHOOK_SECRETS is set, and no worker was seen for an hour."
    seen(hours=2)
    [warning] = run(**KEYS, PARTNERSTACK_WEBHOOK_SECRETS=[SECRET], databases=["default"])
    assert " The last was seen at 20" in warning.msg
    assert found(databases=["default"]) == []
    assert found(SECRET) == []
    seen(minutes=50)
    assert found(SECRET, databases=["default"]) == []


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("hours", "state", "expected"), [(2, "received", ["W053"]), (0, "received", []), (2, "done", [])]
)
def test_events_that_a_running_worker_does_not_process_are_a_warning(
    hours: int, state: str, expected: list[str]
) -> None:
    then = timezone.now() - timedelta(hours=hours)
    times = {"window": then, "first_received_at": then, "last_received_at": then, "due_at": then}
    WebhookEvent.objects.create(mode="test", state=state, **times)
    seen(seconds=5)
    assert found(SECRET, databases=["default"]) == expected
    assert found(databases=["default"]) == []
    assert found(SECRET) == []
