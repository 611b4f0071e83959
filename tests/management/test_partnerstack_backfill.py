from __future__ import annotations

from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import override_settings

from django_partnerstack import sources
from django_partnerstack.models import OutboxMessage
from tests.shop.models import Account, Payment

pytestmark = pytest.mark.django_db


def run(*arguments: str, err: StringIO | None = None, **options: Any) -> list[str]:
    out = StringIO()
    call_command("partnerstack_backfill", *arguments, stdout=out, stderr=err or StringIO(), **options)
    return out.getvalue().splitlines()


@pytest.fixture
def rows() -> None:
    """Two accounts with a payment each, and an unpaid payment. Written in bulk."""
    ada, bob = Account.objects.bulk_create(
        [Account(email="ada@shop.example"), Account(email="bob@shop.example")]
    )
    paid = (Payment(account=account, total=10) for account in (ada, bob))
    Payment.objects.bulk_create([*paid, Payment(account=ada, total=5, paid=False)])


def test_a_line_for_each_model_counts_its_objects(rows: None) -> None:
    assert run("shop.Payment", "shop.Account") == [
        "shop.Account: 2 queued, 0 changed, 0 known, 0 not reported, 0 failed",
        "shop.Payment: 2 queued, 0 changed, 0 known, 1 not reported, 0 failed",
        "  1 not reported: Not paid yet.",
    ]
    assert run("shop.Account")[0] == "shop.Account: 0 queued, 0 changed, 2 known, 0 not reported, 0 failed"


def test_one_model_can_be_chosen(rows: None) -> None:
    [line] = run("Shop.account")
    assert line.startswith("shop.Account: 2 queued")


def test_a_dry_run_queues_nothing(rows: None) -> None:
    assert (
        run(dry_run=True)[0]
        == "shop.Account: 2 would be queued, 0 changed, 0 known, 0 not reported, 0 failed"
    )
    assert not OutboxMessage.objects.exists()


def test_a_model_without_a_source_is_refused_with_the_registered_models() -> None:
    with pytest.raises(CommandError, match=r"no source for 'auth\.User'\. Choose from shop\.Account, "):
        run("auth.User")


def test_a_site_without_sources_learns_where_to_register_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources, "customers", {})
    monkeypatch.setattr(sources, "transactions", {})
    with pytest.raises(CommandError, match=r"Register sources in a module partnerstack\.py"):
        run()


def test_failures_are_printed_and_the_exit_status_is_1(rows: None) -> None:
    Payment.objects.filter(total=10).update(currency="?")
    err = StringIO()
    with pytest.raises(SystemExit) as ended:
        run(err=err)
    assert ended.value.code == 1
    assert err.getvalue().count("  failed: shop.Payment") == 2


def test_an_invalid_mode_is_refused() -> None:
    with override_settings(PARTNERSTACK_MODE="live"), pytest.raises(CommandError, match="PARTNERSTACK_MODE"):
        run()


def test_changed_customers_are_counted_and_differing_payments_are_listed(rows: None) -> None:
    run()
    Account.objects.filter(email="ada@shop.example").update(email="new@shop.example")
    changed = Payment.objects.filter(total=10)[0]
    Payment.objects.filter(pk=changed.pk).update(total=11)
    err = StringIO()
    lines = run("shop.Account", "shop.Payment", err=err)
    assert lines[:2] == [
        "shop.Account: 0 queued, 1 changed, 1 known, 0 not reported, 0 failed",
        "shop.Payment: 0 queued, 0 changed, 1 known, 1 not reported, 0 failed, 1 differing",
    ]
    [line] = err.getvalue().splitlines()
    assert line.startswith(f"  differs from what was reported: shop.Payment {changed.pk}: ")
    reported, now = line.split("; ")
    assert "with 1000 USD (minor units)" in reported
    assert "has 1100 USD (minor units)" in now
