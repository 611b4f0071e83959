"""What is true of every action that talks to PartnerStack."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.messages import WARNING
from django.db import transaction
from django.test import Client
from django.urls import resolve

from django_partnerstack.admin.actions.export import export_selected
from django_partnerstack.models import Customer
from django_partnerstack.sandbox import Sandbox
from tests.shop.models import Account, Payment

from ..conftest import REGISTERED, list_url, take

WITH_ACTIONS = [
    model
    for model in (*REGISTERED, Account, Payment)
    if {*admin.site._registry[model].actions} - {export_selected}  # An export only reads.
]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("action", ["push", "refresh"])
def test_rows_of_the_other_mode_are_skipped(
    staff: Callable[..., Client], partnerstack: Sandbox, action: str
) -> None:
    row = Customer.objects.create(mode="production", key="cus_1", customer_key="shop-account-1")
    before = Customer.objects.values().get()
    name = {"push": "push_to_partnerstack", "refresh": "refresh_from_partnerstack"}[action]
    texts = take(staff("view_customer", f"{action}_customer"), name, row, query="?mode=all")
    text = "1 not tried: the site runs in test mode, and these rows are of the other mode."
    assert (WARNING, text) in texts
    assert Customer.objects.values().get() == before


@pytest.mark.parametrize("model", WITH_ACTIONS, ids=lambda model: model.__name__)
def test_no_action_runs_inside_a_transaction(model: Any) -> None:
    """On a site with ATOMIC_REQUESTS, Django opens a transaction for each view that does not opt out."""
    view = resolve(list_url(model)).func
    assert view._non_atomic_requests == transaction.non_atomic_requests(lambda: None)._non_atomic_requests
