"""Lists as CSV."""

from __future__ import annotations

import csv
import tracemalloc
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from django_partnerstack.admin.actions.export import CHUNK, columns
from django_partnerstack.models import Customer, OutboxMessage, State, Transaction

from ..conftest import REGISTERED, list_url, queue, row_of

pytestmark = pytest.mark.django_db

each_model = pytest.mark.parametrize("model", REGISTERED, ids=lambda model: model.__name__)


def text_of(page: Any) -> str:
    assert page.status_code == 200
    return b"".join(page.streaming_content).decode("utf-8-sig")


def table(page: Any) -> list[dict[str, str]]:
    return list(csv.DictReader(text_of(page).splitlines()))


@pytest.fixture
def clerk(staff: Callable[..., Client]) -> Client:
    names = (model._meta.model_name for model in REGISTERED)
    return staff(*(f"{verb}_{name}" for name in names for verb in ("view", "export")))


@each_model
def test_every_list_is_exported_with_its_column_names(clerk: Client, model: Any) -> None:
    row = row_of(model)
    page = clerk.get(f"{list_url(model)}export/")
    assert page["Content-Type"] == "text/csv; charset=utf-8"
    assert page["Content-Disposition"].startswith(
        f'attachment; filename="partnerstack-{model._meta.model_name}-'
    )
    [found] = table(page)
    assert found["id"] == str(row.pk)
    assert set(found) - {"amount_in_major_units"} == set(columns(model))


@each_model
def test_selected_rows_are_exported_by_an_action(clerk: Client, model: Any) -> None:
    row = row_of(model)
    form = {"action": "export_selected", "_selected_action": row.pk, "index": 0}
    assert [found["id"] for found in table(clerk.post(list_url(model), form))] == [str(row.pk)]


@each_model
def test_an_export_needs_a_permission_of_its_own(browser: Client, model: Any) -> None:
    row = row_of(model)
    assert browser.get(f"{list_url(model)}export/").status_code == 403
    form = {"action": "export_selected", "_selected_action": row.pk, "index": 0}
    assert browser.post(list_url(model), form, follow=True)["Content-Type"].startswith("text/html")
    assert "export" not in browser.get(list_url(model)).rendered_content.split("<body")[1].lower()


def test_the_permission_to_export_does_not_allow_to_view(staff: Callable[..., Client]) -> None:
    assert staff("export_customer").get(f"{list_url(Customer)}export/").status_code == 403


def test_the_link_exports_what_the_filters_show(clerk: Client) -> None:
    for number in range(3):
        queue(State.FAILED if number else State.DELIVERED, subject=f"s{number}")
    queue(State.FAILED, subject="other", mode="production")
    page = clerk.get(list_url(OutboxMessage), {"state__exact": "dead", "o": "1", "p": "1"})
    url = page.context["cl"].export_url
    assert f'href="{url}"' in page.rendered_content
    found = table(clerk.get(f"{list_url(OutboxMessage)}{url}"))
    assert [row["subject"] for row in found] == ["s1", "s2"]


def test_a_wrong_filter_leads_back_to_the_list(clerk: Client) -> None:
    page = clerk.get(f"{list_url(Customer)}export/?nonsense=1", follow=True)
    assert (
        page.redirect_chain == [("../?e=1", 302), (f"{list_url(Customer)}?e=1", 302)]
        or "text/html" in page["Content-Type"]
    )


def test_a_name_that_is_a_formula_is_only_a_text(clerk: Client) -> None:
    Customer.objects.create(mode="test", key="cus_1", name="=HYPERLINK(0)", email="@x", customer_key="+1")
    [row] = table(clerk.get(f"{list_url(Customer)}export/"))
    assert (row["name"], row["email"], row["customer_key"]) == ("'=HYPERLINK(0)", "'@x", "'+1")


@pytest.mark.parametrize(
    ("amount", "currency", "shown"),
    [(4900, "USD", "49.00"), (-5, "KWD", "-0.005"), (500, "JPY", "500"), (None, "", "")],
)
def test_amounts_are_also_in_major_units(clerk: Client, amount: Any, currency: str, shown: str) -> None:
    Transaction.objects.create(mode="test", key="p1", amount=amount, currency=currency)
    [row] = table(clerk.get(f"{list_url(Transaction)}export/"))
    assert (row["amount"], row["amount_in_major_units"]) == ("" if amount is None else str(amount), shown)


def test_no_key_of_the_site_is_exported(clerk: Client, settings: Any) -> None:
    settings.PARTNERSTACK_SECRET_KEY = "sk_canary"
    queue(State.FAILED, reason="Rejected sk_canary", payload={"a": "sk_canary"})
    text = text_of(clerk.get(f"{list_url(OutboxMessage)}export/"))
    assert "Rejected ***" in text
    assert "canary" not in text


def test_a_long_list_is_exported_completely_in_constant_memory(clerk: Client) -> None:
    number = 3 * CHUNK + 1
    Customer.objects.bulk_create(
        (
            Customer(mode="test", key=f"cus_{each}", name="x" * 200, raw={"x": "y" * 200})
            for each in range(number)
        ),
        batch_size=1000,
    )
    page = clerk.get(f"{list_url(Customer)}export/")
    tracemalloc.start()
    size = lines = 0
    for line in page.streaming_content:
        size, lines = size + len(line), lines + 1
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert lines == 1 + 1 + number
    assert size > 200 * number
    assert peak < 12 * 2**20
