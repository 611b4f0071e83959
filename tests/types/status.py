from __future__ import annotations

from datetime import datetime

from typing_extensions import assert_type

from django_partnerstack import status

health = status.health()


def figures_have_types() -> None:
    assert_type(health.queue.by_state["failed"], int)
    assert_type(health.queue.oldest_due_at, datetime | None)
    assert_type(health.sign_ups.attributed_share, float | None)
    assert_type(health.syncs[0].age_seconds, float | None)
    assert_type(health.findings, tuple[status.Finding, ...])
    assert_type(health.severity, status.Severity)
    status.health("production")


def unknown_names_are_refused() -> None:
    health.queue.by_sate  # type: ignore[attr-defined]  # noqa: B018
    status.health(mod="test")  # type: ignore[call-arg]


def figures_cannot_be_changed() -> None:
    health.mode = "production"  # type: ignore[misc]
