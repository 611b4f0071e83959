from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.test import RequestFactory

from django_partnerstack import attribution
from django_partnerstack.sandbox import TEST_KEYS, Sandbox
from tests.shop.models import Account


@pytest.fixture
def partnerstack(settings: Any) -> Iterator[Sandbox]:
    sandbox = Sandbox()
    settings.PARTNERSTACK_PUBLIC_KEY, settings.PARTNERSTACK_SECRET_KEY = TEST_KEYS
    with sandbox.serve() as server:
        settings.PARTNERSTACK_API_URL = f"{server.url}/api/v2"
        settings.PARTNERSTACK_CONVERSION_URL = f"{server.url}/conversion/xid"
        yield sandbox


def sign_up(path: str = "/", email: str = "ada@example.com", **columns: Any) -> Account:
    """An account that is created in a request for this address."""
    before = attribution.current.set(RequestFactory().get(path))
    try:
        return Account.objects.create(email=email, **columns)
    finally:
        attribution.current.reset(before)
