from __future__ import annotations

import json
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from django_partnerstack import sources
from django_partnerstack.insight.reconciliation.kinds import KINDS
from django_partnerstack.models import ReconciliationRun, SyncState
from tests.insight.reconciliation import books
from tests.shop.models import Payment

pytestmark = pytest.mark.django_db


def run(*arguments: str) -> tuple[int, str]:
    """The exit status and the output."""
    out, status = StringIO(), 0
    try:
        call_command("partnerstack_reconcile", *arguments, stdout=out)
    except SystemExit as error:
        status = int(str(error.code))
    return status, out.getvalue()


def test_books_that_agree_exit_with_0() -> None:
    books.write(10, each=0)
    status, out = run()
    assert status == 0
    assert "Payments: 10 agree." in out
    assert out.endswith("The books agree.\n")


def test_books_that_differ_exit_with_1_and_say_what_mends_each_kind() -> None:
    expected = books.write(600)
    status, out = run()
    assert status == 1
    assert f"The books differ: {expected.total()} differences." in out
    for code, kind in KINDS.items():
        assert f"\n{code}: " in out
        assert kind.command or str(kind.mend) in out
    assert "Run: partnerstack_backfill" in out


def test_sums_are_exact_and_per_currency() -> None:
    books.write(1, each=0)
    books.plant(books.other_currency, total="1000.10")
    books.plant(books.other_currency, total="0.05")
    _, out = run()
    assert "currency: 2 payments." in out
    assert "  Here: 1,000.15 USD\n  At PartnerStack: 1,000.15 EUR\n" in out


def test_amounts_have_the_decimals_of_their_currency() -> None:
    books.write(1, each=0)
    book = books.plant(books.never_arrived, total="1500", currency="JPY")
    assert "  Here: 1,500 JPY\n" in run()[1]
    assert f"- {book.key} (shop.payment {book.payment.pk})\n" in run()[1]


def test_the_result_as_json_is_the_one_that_the_admin_shows() -> None:
    books.write(1, each=0)
    books.plant(books.never_arrived)
    status, out = run("--json")
    result = json.loads(out)
    assert (status, result["agree"]) == (1, False)
    assert result["differences"]["not-there"]["here"] == {"USD": 4900}
    stored = ReconciliationRun.objects.get()
    assert (stored.result, stored.differences, stored.mode) == (result, 1, "test")


def test_the_newest_30_results_are_kept() -> None:
    books.write(1, each=0)
    for _ in range(32):
        run()
    assert ReconciliationRun.objects.count() == 30


def test_what_is_older_can_be_left_out() -> None:
    books.write(1, each=0)
    books.plant(books.never_arrived)
    status, out = run("--since", "3d")
    assert status == 0
    assert "Payments: 2 older." in out
    assert run("--since", "30d")[0] == 1


def test_without_a_sync_there_is_nothing_to_compare_with() -> None:
    books.write(1, each=0)
    SyncState.objects.filter(resource="transactions").update(completed_at=None)
    with pytest.raises(CommandError, match=r"Run: manage\.py partnerstack_sync transactions$"):
        run()


def test_an_invalid_mode_is_refused(settings: Any) -> None:
    settings.PARTNERSTACK_MODE = "live"
    with pytest.raises(CommandError, match="PARTNERSTACK_MODE"):
        run()


def test_the_error_of_a_source_is_printed_and_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(payment: Payment) -> sources.TransactionData:
        raise ValueError("No tax for ada@example.com \x00 \ud800")

    books.write(1, each=0)
    monkeypatch.setitem(sources.transactions, Payment, failing)
    status, out = run()
    assert status == 1
    assert "source-failed: 1 payments." in out
    [example] = ReconciliationRun.objects.get().result["differences"]["source-failed"]["examples"]
    assert example["detail"] == "ValueError"
    assert "ada@example.com" in out
