from __future__ import annotations

from collections.abc import Callable

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client

from django_partnerstack.models import MIRRORS, Mirror


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
    return staff(*(f"view_{model._meta.model_name}" for model in MIRRORS.values()), "view_syncstate")


def list_url(model: type[Mirror]) -> str:
    return f"/admin/partnerstack/{model._meta.model_name}/"


def page_url(row: Mirror) -> str:
    return f"{list_url(type(row))}{row.pk}/change/"
