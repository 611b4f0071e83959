"""Forgetting customers in the admin, after a confirmation."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.messages import SUCCESS
from django.test import Client
from django.utils import timezone

from django_partnerstack.models import Attribution, Customer, ForgottenCustomer

from ..conftest import INLINE, list_url, take

EMAIL = "ada@customers.example"


@pytest.fixture
def ada(db: None) -> Customer:
    return Customer.objects.create(
        mode="test", key="cus_1", customer_key="account-1", email=EMAIL, name="Ada", raw={"key": "cus_1"}
    )


def page(browser: Client, row: Any, query: str = "") -> Any:
    form = {"action": "forget", "index": 0, "_selected_action": [row.pk]}
    return browser.post(f"{list_url(type(row))}{query}", form)


def test_the_page_says_what_will_happen_and_nothing_happens(
    staff: Callable[..., Client], ada: Customer
) -> None:
    html = page(staff("view_customer", "forget_customer"), ada).rendered_content
    assert not INLINE.findall(html)
    for text in ("account-1", EMAIL, "customers: 1", "anonymised, then archived", "backups"):
        assert text in html
    ada.refresh_from_db()
    assert ada.email == EMAIL
    assert not ForgottenCustomer.objects.exists()


def test_a_confirmed_customer_is_forgotten_and_the_log_says_so(
    staff: Callable[..., Client], ada: Customer
) -> None:
    browser = staff("view_customer", "forget_customer")
    [(level, text)] = take(browser, "forget", ada, confirmed="yes", keep_payments="on")
    assert level == SUCCESS
    assert text.startswith("Customer account-1 is forgotten. Rows erased: customers: 1.")
    ada.refresh_from_db()
    assert (ada.email, ada.name) == ("", "")
    assert ForgottenCustomer.objects.get().kept_payments
    [entry] = LogEntry.objects.all()
    assert (entry.object_repr, entry.change_message) == ("account-1", "Forgotten.")


def test_an_organic_customer_is_forgotten_from_its_attribution(
    staff: Callable[..., Client], db: None
) -> None:
    row = Attribution.objects.create(
        mode="test", customer_key="account-2", landing_path="/welcome", bound_at=timezone.now()
    )
    browser = staff("view_attribution", "forget_customer")
    assert "never had the customer" in page(browser, row).rendered_content
    take(browser, "forget", row, confirmed="yes")
    row.refresh_from_db()
    assert row.landing_path == ""


def test_it_needs_its_permission(staff: Callable[..., Client], ada: Customer) -> None:
    browser = staff("view_customer", "push_customer")
    page(browser, ada)
    take(browser, "forget", ada, confirmed="yes")
    assert not ForgottenCustomer.objects.exists()


def test_a_customer_of_the_other_mode_is_left_out(staff: Callable[..., Client], ada: Customer) -> None:
    Customer.objects.update(mode="production")
    html = page(staff("view_customer", "forget_customer"), ada, "?mode=production").rendered_content
    assert "of the other mode" in html
    assert "anonymised" not in html.partition("<tbody>")[2]
