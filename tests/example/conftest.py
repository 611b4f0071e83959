from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from django_partnerstack.models import Partnership
from example_project import settings as example
from example_project.saas import billing
from example_project.saas.models import Account

PAGES = (
    "AUTH_PASSWORD_VALIDATORS",
    "LOGIN_REDIRECT_URL",
    "LOGIN_URL",
    "LOGOUT_REDIRECT_URL",
    "ROOT_URLCONF",
)


@pytest.fixture(autouse=True)
def _settings_of_the_site(settings: Any) -> None:
    for name in PAGES:
        setattr(settings, name, getattr(example, name))


@pytest.fixture
def partner(db: None) -> Partnership:
    return Partnership.objects.create(mode="test", key="part_1", partner_key="partner1")


@pytest.fixture
def account(partner: Partnership) -> Account:
    return billing.sign_up(
        email="ada@example.com", password="correct horse", name="Ada Ltd", partner_key="partner1"
    )


@pytest.fixture
def browser(client: Client, account: Account) -> Client:
    client.force_login(account.owner)
    return client
