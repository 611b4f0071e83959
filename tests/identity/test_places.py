"""The same primary key in two databases, or in two schemas of tenants, names two objects everywhere."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connections

from django_partnerstack import track
from django_partnerstack.admin.actions.report_again import _report_again
from django_partnerstack.models import OutboxMessage, ReportedKey, SourceFailure
from django_partnerstack.outbox.backfill import backfill
from django_partnerstack.outbox.queue.source_failures import object_failed, object_reported
from tests.shop.models import Account, Payment

pytestmark = pytest.mark.django_db

#: Runs a function in another place.
Elsewhere = Callable[[Callable[[], Any]], Any]


def in_schema(monkeypatch: pytest.MonkeyPatch) -> Elsewhere:
    """As django-tenants has it: one connection, and a schema that changes."""

    def run(function: Callable[[], Any]) -> Any:
        with monkeypatch.context() as tenant:
            tenant.setattr(connections["default"], "schema_name", "acme", raising=False)
            return function()

    return run


@pytest.fixture(params=["schema", "database"])
def elsewhere(request: Any, monkeypatch: pytest.MonkeyPatch, second: str) -> Elsewhere:
    if request.param == "schema":
        return in_schema(monkeypatch)

    def run(function: Callable[[], Any]) -> Any:
        usual = Account.__init__, Payment.__init__
        with monkeypatch.context() as other:
            for model, init in zip((Account, Payment), usual, strict=True):

                def moved(self: Any, *args: Any, init: Any = init, **fields: Any) -> None:
                    init(self, *args, **fields)
                    self._state.db = second

                other.setattr(model, "__init__", moved)
            return function()

    return run


def failing(pk: int = 1) -> Account:
    return Account(pk=pk, email="a@customers.example")


def fail() -> None:
    object_failed(failing(), LookupError("No profile."))


def places() -> list[str]:
    return sorted(str(each) for each in SourceFailure.objects.all())


def test_the_failures_of_two_objects_are_two(elsewhere: Elsewhere) -> None:
    for _ in range(2):
        fail()
        elsewhere(fail)
    assert len(places()) == 2
    assert {each.times for each in SourceFailure.objects.all()} == {2}
    elsewhere(lambda: object_reported(failing()))
    assert places() == ["shop.account 1"]


def test_a_backfill_of_one_place_forgets_no_failure_of_another(elsewhere: Elsewhere) -> None:
    elsewhere(fail)
    backfill(Account, mode="test", on_page=lambda result: None)
    assert len(places()) == 1


def test_an_object_of_a_schema_is_reported_again_there(monkeypatch: pytest.MonkeyPatch) -> None:
    shop = Account.objects.create(email="a@customers.example")
    connection = connections["default"]
    monkeypatch.setattr(connection, "schema_name", "public", raising=False)
    monkeypatch.setattr(connection, "tenant", "public", raising=False)

    def set_schema(name: str) -> None:
        connection.schema_name = name

    monkeypatch.setattr(connection, "set_schema", set_schema, raising=False)
    monkeypatch.setattr(connection, "set_tenant", set_schema, raising=False)
    set_schema("acme")
    object_failed(shop, LookupError("No profile."))
    set_schema("public")
    [failure] = SourceFailure.objects.all()
    assert str(failure) == f"shop.account {shop.pk} in acme"
    assert _report_again(failure)
    assert connection.schema_name == "public"
    newest = OutboxMessage.objects.latest("pk")
    assert (newest.lane, newest.namespace) == (f"customer:acme.shop-account-{shop.pk}", ":acme")
    assert places() == []


def test_the_notes_of_two_objects_are_two(elsewhere: Elsewhere) -> None:
    def skip() -> None:
        track.report(Account(pk=1, email="a@unknown.example"))

    for _ in range(2):
        skip()
        elsewhere(skip)
    notes = OutboxMessage.objects.filter(state="skipped")
    assert set(notes.values_list("source", "source_pk")) == {("shop.account", "1")}
    assert len(notes) == len(set(notes.values_list("namespace", flat=True))) == 2


def test_a_payment_of_another_place_never_takes_the_key_of_the_first(elsewhere: Elsewhere) -> None:
    def pay() -> track.Report:
        shop = Account(pk=1, email="a@customers.example")
        return track.report(Payment(pk=7, account=shop, total=49))

    assert pay()
    for _ in range(2):
        with pytest.raises(track.KeyCollision, match=r"reported by shop\.payment 7, with 4900"):
            elsewhere(pay)
    [refused] = OutboxMessage.objects.filter(state="dead")
    assert refused.namespace
    assert not pay()
    assert OutboxMessage.objects.filter(state="dead").count() == 1
    assert ReportedKey.objects.get(dedupe_key="transactions.create:payment-7").namespace == ""


def test_a_place_that_is_mended_withdraws_only_its_own_collision(elsewhere: Elsewhere) -> None:
    def paid() -> Payment:
        return Payment(pk=7, account=Account(pk=1, email="a@customers.example"), total=49)

    track.report(paid())
    with pytest.raises(track.KeyCollision):
        elsewhere(lambda: track.report(paid()))
    object_reported(paid())
    assert OutboxMessage.objects.filter(state="dead").count() == 1
    elsewhere(lambda: object_reported(paid()))
    assert OutboxMessage.objects.filter(state="dead").count() == 0
