"""A source may query the database as it likes: the transaction of the site's save is none the worse."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction

from django_partnerstack import sources, track
from django_partnerstack.models import SourceFailure
from tests.shop.models import Account

pytestmark = pytest.mark.django_db(transaction=True)

DATA = sources.CustomerData(email="a@customers.example")


def fail() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT nothing FROM nowhere")


def duplicate() -> None:
    """Fails in a ``save()``, after which Django marks the transaction around it for a rollback."""
    Account.objects.create(pk=Account.objects.values_list("pk", flat=True)[0])


def in_atomic(failing: Callable[[], None], **options: Any) -> Callable[[], None]:
    def run() -> None:
        with transaction.atomic(**options):
            failing()

    return run


def after_atomic(failing: Callable[[], None], **options: Any) -> Callable[[], None]:
    def run() -> None:
        with transaction.atomic(**options):
            Account.objects.count()
        failing()

    return run


def by_hand(failing: Callable[[], None]) -> Callable[[], None]:
    def run() -> None:
        connection.savepoint()
        failing()

    return run


def before_any_query() -> None:
    with transaction.atomic(savepoint=False):
        raise IntegrityError("raised without a query")


def kinds() -> Iterator[Any]:
    for name, failing in (("query", fail), ("save", duplicate)):
        yield pytest.param(failing, id=name)
        for options in ({}, {"savepoint": False}):
            yield pytest.param(in_atomic(failing, **options), id=f"{name} in atomic {options}")
            yield pytest.param(
                in_atomic(in_atomic(failing, **options)), id=f"{name} in atomic twice {options}"
            )
            yield pytest.param(after_atomic(failing, **options), id=f"{name} after atomic {options}")
        yield pytest.param(by_hand(failing), id=f"{name} after a savepoint")
    yield pytest.param(before_any_query, id="no query")


FAILING = pytest.mark.parametrize("failing", list(kinds()))
SWALLOWED = pytest.mark.parametrize("swallowed", [False, True], ids=["raised", "caught by the source"])


@pytest.fixture
def source(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], None], bool], None]:
    """Have the source of accounts do this."""

    def use(failing: Callable[[], None], swallowed: bool) -> None:
        def describe(account: Account) -> sources.CustomerData:
            Account.objects.filter(pk=account.pk).update(name="changed by the source")
            try:
                failing()
            except DatabaseError:
                if not swallowed:
                    raise
            return DATA

        monkeypatch.setitem(sources.customers, Account, describe)

    return use


@FAILING
@SWALLOWED
def test_the_save_and_what_follows_it_succeed(
    failing: Callable[[], None], swallowed: bool, source: Any
) -> None:
    first = Account.objects.create(email="a@customers.example")
    source(failing, swallowed)
    with transaction.atomic():
        second = Account.objects.create(email="b@customers.example", name="as saved")
        assert Account.objects.count() == 2
        Account.objects.create(email="c@customers.example")
    assert Account.objects.count() == 3
    assert Account.objects.get(pk=first.pk).name == ""
    if not swallowed:
        # What a failed source wrote is undone.
        assert Account.objects.get(pk=second.pk).name == "as saved"


@pytest.mark.skipif(connection.vendor != "postgresql", reason="Only PostgreSQL refuses what follows.")
def test_a_source_that_goes_on_after_a_failed_query_is_recorded_with_what_to_do(source: Any) -> None:
    source(fail, True)
    with transaction.atomic():
        Account.objects.create(email="a@customers.example")
    assert "transaction.atomic()" in SourceFailure.objects.get().error
    assert Account.objects.get().name == ""


@FAILING
def test_track_raises_the_error_and_the_transaction_goes_on(failing: Callable[[], None], source: Any) -> None:
    account = Account.objects.create(email="a@customers.example")
    source(failing, False)
    with transaction.atomic():
        with pytest.raises(DatabaseError):
            track.signup(account)
        Account.objects.create(email="b@customers.example", partner_key="")
    assert Account.objects.count() == 2


@FAILING
@SWALLOWED
def test_without_a_transaction_the_source_fails_alone(
    failing: Callable[[], None], swallowed: bool, source: Any
) -> None:
    Account.objects.create(email="a@customers.example")
    source(failing, swallowed)
    Account.objects.create(email="b@customers.example")
    assert Account.objects.count() == 2
    assert connection.get_autocommit()


def test_a_source_that_writes_in_a_transaction_of_its_own_keeps_what_it_wrote(source: Any) -> None:
    def note() -> None:
        with transaction.atomic():
            Account.objects.filter(email="a@customers.example").update(name="noted")

    source(note, False)
    with transaction.atomic():
        Account.objects.create(email="a@customers.example")
    assert Account.objects.get().name == "noted"


def failing_key(account: Account) -> str:
    in_atomic(fail, savepoint=False)()
    return "never"


def test_a_key_function_that_fails_does_not_spoil_the_transaction() -> None:
    account = Account.objects.create(email="a@customers.example")
    with transaction.atomic():
        with pytest.raises(DatabaseError):
            sources.call(failing_key, account)
        assert Account.objects.count() == 1


def test_a_transaction_that_was_broken_before_stays_broken() -> None:
    account = Account.objects.create(email="a@customers.example")
    with transaction.atomic():
        transaction.set_rollback(True)
        with pytest.raises(ZeroDivisionError):
            sources.call(lambda instance: 1 // 0, account)
        assert connection.needs_rollback
