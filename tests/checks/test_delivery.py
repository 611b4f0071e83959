from __future__ import annotations

import sys

import pytest
from django import VERSION

from .run import KEYS, ids, run


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("REQUESTS_PER_MINUTE", 0, "E016"),
        ("REQUESTS_PER_MINUTE", -1, "E016"),
        ("REQUESTS_PER_MINUTE", "60", "E016"),
        ("REQUESTS_PER_MINUTE", True, "E016"),
        ("REQUESTS_PER_MINUTE", float("nan"), "E016"),
        ("REQUESTS_PER_MINUTE", 4001, "W009"),
        ("REQUESTS_PER_MINUTE", 0.5, ""),
        ("REQUESTS_PER_MINUTE", 4000, ""),
        ("PUSH_ENABLED", "False", "E017"),
        ("PUSH_ENABLED", None, "E017"),
        ("PUSH_ENABLED", False, ""),
        ("SNIPPET", 0, "E017"),
        ("STRICT", 1, "E017"),
        ("STRICT", True, ""),
        ("LOOKUP_GRACE", -1, "E018"),
        ("LOOKUP_GRACE", None, "E018"),
        ("LOOKUP_GRACE", 0, ""),
        ("RETENTION_DAYS", "90", "E018"),
        ("RETENTION_DAYS", float("inf"), "E018"),
        ("RETENTION_DAYS", 0, ""),
        ("SYNC_EVERY", -1, "E018"),
        ("SYNC_EVERY", None, "E018"),
        ("SYNC_EVERY", 0, ""),
        ("FULL_SYNC_AT", "3 a.m.", "E040"),
        ("FULL_SYNC_AT", 3, "E040"),
        ("FULL_SYNC_AT", "23:59", ""),
        ("FULL_SYNC_AT", "", ""),
        ("ON_DELETE", "erase", "E033"),
        ("ON_DELETE", None, "E033"),
        ("ON_DELETE", True, "E033"),
        ("ON_DELETE", "keep", ""),
        ("ON_DELETE", "archive", ""),
        ("ON_DELETE", "forget", ""),
        ("CUSTOMER_KEY", "tests.nowhere.key", "E019"),
        ("CUSTOMER_KEY", "email", "E019"),
        ("CUSTOMER_KEY", print, "E019"),
        ("CUSTOMER_KEY", "builtins.str", ""),
        ("DISPATCH", "workers", "E020"),
        ("DISPATCH", "tests.nowhere.wake", "E020"),
        ("DISPATCH", ["celery"], "E020"),
        ("DISPATCH", None, "E020"),
        ("DISPATCH", "immediate", ""),
        ("DISPATCH", "celery", ""),
        ("DISPATCH", "builtins.print", ""),
    ],
)
def test_only_values_that_delivery_cannot_use_are_reported(name: str, value: object, expected: str) -> None:
    assert ids(**KEYS, **{f"PARTNERSTACK_{name}": value}) == list(filter(None, [expected]))


@pytest.mark.skipif(VERSION >= (6,), reason="this Django has tasks")
def test_dispatch_by_tasks_needs_a_django_that_has_them() -> None:
    [error] = run(**KEYS, PARTNERSTACK_DISPATCH="tasks")
    assert error.id == "partnerstack.E021"
    assert error.hint == 'PARTNERSTACK_DISPATCH = "tasks" needs Django 6.0 or later.'


@pytest.mark.skipif(VERSION < (6,), reason="this Django has no tasks")
def test_dispatch_by_tasks_is_fine_where_django_has_them() -> None:
    assert ids(**KEYS, PARTNERSTACK_DISPATCH="tasks") == []


def test_dispatch_by_celery_needs_an_installed_celery(monkeypatch: pytest.MonkeyPatch) -> None:
    # A module that is None in sys.modules cannot be imported.
    monkeypatch.setitem(sys.modules, "celery", None)
    monkeypatch.delitem(sys.modules, "django_partnerstack.dispatch.celery", raising=False)
    [error] = run(**KEYS, PARTNERSTACK_DISPATCH="celery")
    assert error.id == "partnerstack.E021"
    assert "pip install" in error.hint
