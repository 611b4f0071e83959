"""What is true of every model of this app in the admin."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from .conftest import INLINE, REGISTERED, list_url, page_url, row_of

each_model = pytest.mark.parametrize("model", REGISTERED, ids=lambda model: model.__name__)


@each_model
def test_an_empty_list_opens(browser: Client, model: Any) -> None:
    assert browser.get(list_url(model)).status_code == 200


@each_model
def test_list_and_page_need_permission(staff: Callable[..., Client], model: Any) -> None:
    row, stranger = row_of(model), staff()
    assert [stranger.get(url).status_code for url in (list_url(model), page_url(row))] == [403, 403]


@each_model
def test_list_and_page_need_no_other_permission_and_no_inline_scripts_or_styles(
    staff: Callable[..., Client], model: Any
) -> None:
    row, user = row_of(model), staff(f"view_{model._meta.model_name}")
    for url in (list_url(model), page_url(row)):
        assert not INLINE.findall(user.get(url).rendered_content)


@each_model
def test_a_superuser_can_change_nothing(admin_client: Client, model: Any) -> None:
    row = row_of(model)
    before = list(model.objects.values())
    urls = (f"{list_url(model)}add/", page_url(row), page_url(row).replace("change", "delete"))
    form = {"mode": "production", "key": "x", "post": "yes"}
    assert [admin_client.post(url, form).status_code for url in urls] == [403, 403, 403]
    delete = {"action": "delete_selected", "_selected_action": row.pk, "post": "yes"}
    admin_client.post(list_url(model), delete)
    assert list(model.objects.values()) == before
