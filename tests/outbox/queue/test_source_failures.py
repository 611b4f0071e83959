"""An object that could not be reported leaves a record until it is reported."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction
from django.test import override_settings

from django_partnerstack import attribution, sources, track
from django_partnerstack.models import Attribution, SourceFailure
from django_partnerstack.outbox.backfill import backfill
from django_partnerstack.outbox.queue.source_failures import text_of
from tests.outbox.site import Site, account, message, messages, payment
from tests.shop.models import Account, Payment

pytestmark = pytest.mark.django_db


def fail(instance: Any) -> Any:
    raise LookupError(f"No profile of {instance.pk} yet.")


def query_a_missing_table(instance: Any) -> Any:
    with connection.cursor() as cursor:
        cursor.execute("SELECT nothing FROM nowhere")


@pytest.fixture
def broken(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Replaces the source of customers; without an argument it works again."""
    usual = sources.customers[Account]
    return lambda source=usual: monkeypatch.setitem(sources.customers, Account, source)


def failures() -> list[tuple[str, str, int]]:
    rows = SourceFailure.objects.order_by("pk")
    return [(str(row), row.error, row.times) for row in rows]


def test_a_save_whose_source_fails_is_recorded_with_the_error(broken: Any) -> None:
    broken(fail)
    shop = account()
    shop.save()
    assert failures() == [(f"shop.account {shop.pk}", f"LookupError: No profile of {shop.pk} yet.", 2)]
    failure = SourceFailure.objects.get()
    assert (failure.mode, failure.operation) == ("test", "customers.save")
    assert failure.first_failed_at < failure.last_failed_at


@pytest.mark.parametrize("source", [fail, query_a_missing_table])
def test_the_hosts_transaction_goes_on(broken: Any, source: Any) -> None:
    broken(source)
    with transaction.atomic():
        shop = account()
        Account.objects.filter(pk=shop.pk).update(name="Goes on")
    assert Account.objects.get().name == "Goes on"
    assert len(failures()) == 1


def test_a_record_is_rolled_back_with_the_save(broken: Any) -> None:
    broken(fail)
    with transaction.atomic():
        account()
        transaction.set_rollback(True)
    assert failures() == []


def test_a_save_succeeds_if_the_failure_cannot_be_recorded(broken: Any, caplog: Any) -> None:
    broken(fail)
    with connection.execute_wrapper(refuse_failures), transaction.atomic():
        shop = account()
        Account.objects.filter(pk=shop.pk).update(name="Goes on")
    assert Account.objects.get().name == "Goes on"
    assert "could not be recorded" in caplog.text


def refuse_failures(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
    if "partnerstack_sourcefailure" in sql:
        sql, params = "SELECT nothing FROM nowhere", ()
    return execute(sql, params, many, context)


def test_an_object_that_is_saved_again_is_forgotten(
    broken: Any, django_capture_on_commit_callbacks: Any
) -> None:
    broken(fail)
    shop = account()
    broken()
    with django_capture_on_commit_callbacks(execute=True):
        shop.save()
    assert failures() == []


def test_an_object_whose_data_are_unchanged_is_forgotten_when_it_is_saved(
    broken: Any, django_capture_on_commit_callbacks: Any
) -> None:
    shop = account()
    broken(fail)
    shop.save()
    broken()
    with django_capture_on_commit_callbacks(execute=True):
        shop.save()
    assert (failures(), len(messages())) == ([], 1)


def test_an_object_that_the_site_reports_by_a_verb_is_forgotten(broken: Any, site: Site) -> None:
    broken(fail)
    shop, other = account(), account()
    broken()
    track.signup(shop)
    track.event(other, "demo")
    site.push()
    # The event introduces its customer, too.
    assert failures() == []


def test_an_event_of_the_customer_does_not_forget_it(broken: Any, site: Site) -> None:
    broken(fail)
    shop = account()
    track.event(shop, "demo")
    site.push()
    assert [times for _, _, times in failures()] == [2]
    assert message("actions.create").state == "waiting"


def test_a_backfill_retries_it(broken: Any) -> None:
    broken(fail)
    account()
    done = backfill(Account, mode="test", on_page=lambda done: None)
    assert (done.failed, failures()[0][2]) == (1, 2)
    broken()
    done = backfill(Account, mode="test", on_page=lambda done: None)
    assert (done.queued, failures()) == (1, [])


def test_a_dry_run_of_a_backfill_records_and_forgets_nothing(broken: Any) -> None:
    broken(fail)
    account()
    backfill(Account, mode="test", on_page=lambda done: None, dry_run=True)
    broken()
    backfill(Account, mode="test", on_page=lambda done: None, dry_run=True)
    assert failures()[0][2] == 1


def test_a_backfill_forgets_objects_that_no_longer_exist(broken: Any) -> None:
    broken(fail)
    account().delete()
    broken()
    backfill(Account, mode="test", on_page=lambda done: None)
    assert failures() == []


def test_a_payment_that_partnerstack_would_refuse_is_recorded(site: Site) -> None:
    shop = account()
    bad = payment(shop, currency="ZZZ")
    [(name, error, _)] = failures()
    assert name == f"shop.payment {bad.pk}"
    assert "not a currency of ISO 4217" in error
    bad.currency = "USD"
    bad.save()
    site.push()
    assert (failures(), message("transactions.create").state) == ([], "delivered")


def test_the_click_is_bound_before_the_source_is_asked(broken: Any, rf: Any) -> None:
    broken(fail)
    before = attribution.current.set(rf.get("/?ps_partner_key=Z3N0ZXN0"))
    try:
        shop = account(partner_key="")
    finally:
        attribution.current.reset(before)
    assert Attribution.objects.get().partner_key == "gstest"
    assert failures()[0][0] == f"shop.account {shop.pk}"


@override_settings(PARTNERSTACK_STRICT=True)
def test_a_strict_site_gets_the_error(broken: Any) -> None:
    broken(fail)
    with pytest.raises(LookupError, match="No profile"):
        account()


@override_settings(PARTNERSTACK_PUBLIC_KEY="pk_canary", PARTNERSTACK_SECRET_KEY="sk_canary")
def test_keys_and_nul_characters_are_not_recorded(broken: Any) -> None:
    def source(account: Account) -> Any:
        raise ValueError("pk_canary\0sk_canary" + "x" * 5000)

    broken(source)
    account()
    error = SourceFailure.objects.get().error
    assert error.startswith("ValueError: ***\N{REPLACEMENT CHARACTER}***xxx")
    assert len(error) == 2000


@pytest.mark.parametrize("field", ["email", "name"])
@pytest.mark.parametrize("value", [None, 7, b"x"])
def test_a_source_that_returns_a_wrong_type_gets_one_clear_line(broken: Any, field: str, value: Any) -> None:
    data = {"email": "a@customers.example", field: value}
    broken(lambda account: sources.CustomerData(**data))
    account()
    if (field, value) == ("name", None):
        # An optional text may be NULL in the site's database.
        assert failures() == []
        return
    [(_, error, _)] = failures()
    assert error.startswith(f"SourceError: {field} must be a text; not {value!r}")
    assert "\n" not in error


@pytest.mark.parametrize("result", ["a@customers.example", {"email": "a@customers.example"}])
def test_a_source_that_returns_something_else_is_an_error(broken: Any, result: Any) -> None:
    broken(lambda account: result)
    account()
    [(_, error, _)] = failures()
    assert error.startswith("SourceError: The source of shop.Account returned")


def test_an_insert_of_a_registered_object_costs_no_query_more(django_assert_num_queries: Any) -> None:
    shop = account()
    # Django's INSERT; in a savepoint the key of the customer, that of the payment and the message. PostgreSQL
    # does the last three with one statement.
    statements = 4 if connection.vendor == "postgresql" else 6
    with transaction.atomic(), django_assert_num_queries(statements):
        Payment.objects.create(account=shop, total=5)


def test_the_failure_of_a_customer_whose_refund_comes_first_names_the_customer(
    broken: Any, site: Site
) -> None:
    Account.objects.bulk_create([Account(email="a@customers.example", partner_key="gstest")])
    shop = Account.objects.get()
    track.purchase(shop, amount=4900, currency="USD", key="inv_1")
    track.refund("inv_1", amount=900)
    messages("transactions.create")[0].delete()
    broken(fail)
    site.push()
    assert [str(each) for each in SourceFailure.objects.all()] == [f"shop.account {shop.pk}"]
    broken()
    backfill(Account, mode="test", on_page=lambda done: None)
    assert failures() == []


def test_database_errors_in_the_outbox_are_recorded(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if "INSERT INTO" in sql and "partnerstack_outboxmessage" in sql:
            raise DatabaseError("no space left")
        return execute(sql, params, many, context)

    with connection.execute_wrapper(refuse):
        account()
    assert failures()[0][1] == "DatabaseError: no space left"


def raising(text: str) -> Callable[[Any], Any]:
    def source(instance: Any) -> Any:
        raise ValueError(text)

    return source


@pytest.mark.parametrize("text", ["a\0b", "\N{GRINNING FACE}" * 5000], ids=["NUL", "long"])
def test_an_error_that_no_database_can_store_costs_neither_the_save_nor_the_backfill(
    broken: Any, text: str
) -> None:
    broken(raising(text))
    shop = account()
    assert "ValueError" in SourceFailure.objects.get().error
    payment(shop)
    assert backfill(Account, mode="test", on_page=lambda result: None).failed == 1
    site = Site()
    site.push()
    assert message("transactions.create").state == "waiting"
    assert len(message("transactions.create").reason) < 2200


@override_settings(PARTNERSTACK_SECRET_KEY="sk_test_do_not_show_me_0001")
def test_a_key_in_an_error_is_masked_in_the_reason_of_what_waits(broken: Any) -> None:
    shop = Account.objects.bulk_create([Account(email="a@customers.example", partner_key="gstest")])[0]
    broken(raising("refused sk_test_do_not_show_me_0001"))
    payment(Account.objects.get(pk=shop.pk))
    Site().push()
    assert "ValueError: refused ***" in message("transactions.create").reason


def test_a_source_that_ends_the_process_delays_only_its_own_customer(broken: Any) -> None:
    def leave(instance: Any) -> Any:
        raise SystemExit(3)

    Account.objects.bulk_create([Account(email="a@customers.example", partner_key="gstest")])
    healthy = account(email="b@customers.example")
    broken(leave)
    payment(Account.objects.get(email="a@customers.example"))
    site = Site()
    site.push()
    assert message("transactions.create").state == "waiting"
    assert site.effects("customers.create") == {f"shop-account-{healthy.pk}": 1}


def test_half_of_a_surrogate_pair_in_an_error_is_replaced() -> None:
    assert text_of(ValueError("half \ud800")) == "ValueError: half \N{REPLACEMENT CHARACTER}"
