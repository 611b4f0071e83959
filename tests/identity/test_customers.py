"""One row of the site is one customer, and two rows are two."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection, transaction
from django.test import override_settings
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from django_partnerstack import track
from django_partnerstack.exceptions import KeyCollision, SourceError
from django_partnerstack.identity.primary_keys import remember_loaded
from django_partnerstack.models import Attribution, CustomerIdentity, OutboxMessage
from django_partnerstack.outbox.backfill import backfill
from tests.lengths import by_length
from tests.shop.models import Account

from .models import Badge, Company, Device, Member, Party, Seat

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("reported")]


def key_of(customer: Any) -> str:
    return track.customer_key(customer)


def at(second: str, instance: Any) -> Any:
    """The same row as it would be in the second database."""
    instance._state.db = second
    remember_loaded([instance])
    return instance


@pytest.mark.parametrize(
    ("customer", "key"),
    [
        (Account(pk=17), "shop-account-17"),
        (Party(pk=1), "identity-party-1"),
        (Member(pk=1), "identity-party-1"),
        (Company(pk=1), "identity-party-1"),
        (Company(id=1), "identity-party-1"),
        (Party(pk="1"), "identity-party-1"),
        (Badge(pk="A-1"), "identity-badge-A-1"),
        (Badge(pk=7), "identity-badge-7"),
        (Device(pk="0" * 31 + "1"), "identity-device-00000000-0000-0000-0000-000000000001"),
        (Device(pk=uuid.UUID(int=1)), "identity-device-00000000-0000-0000-0000-000000000001"),
        (Seat(floor=2, number="3"), 'identity-seat-["2", "3"]'),
    ],
)
def test_the_default_key_names_app_model_and_primary_key(customer: Any, key: str) -> None:
    assert key_of(customer) == key


@pytest.mark.parametrize("customer", [Account(email="a@customers.example"), None, "account-1", Seat(floor=1)])
def test_an_object_that_was_not_saved_is_refused_as_a_customer(customer: Any) -> None:
    with pytest.raises(SourceError, match="is a saved object"):
        key_of(customer)


@override_settings(PARTNERSTACK_KEY_PREFIX="eu-")
def test_a_prefix_keeps_the_default_keys_of_two_sites_apart() -> None:
    assert key_of(Account(pk=17)) == "eu-shop-account-17"


def test_a_prefix_that_is_set_later_changes_nothing_for_known_customers() -> None:
    shop = Account.objects.create(email="a@customers.example")
    with override_settings(PARTNERSTACK_KEY_PREFIX="eu-"):
        assert key_of(shop) == f"shop-account-{shop.pk}"


def test_a_changed_function_changes_nothing_for_known_customers() -> None:
    shop = Account.objects.create(email="a@customers.example", name="ada")
    with override_settings(PARTNERSTACK_CUSTOMER_KEY="tests.shop.keys.by_name"):
        track.event(shop, "demo")
        shop.email = "b@customers.example"
        shop.save()
        assert key_of(Account(pk=shop.pk + 1, name="bob")) == "customer bob"
    assert {each.lane for each in OutboxMessage.objects.all()} == {f"customer:shop-account-{shop.pk}"}


@pytest.mark.parametrize("name", ["", "x" * 256, None])
def test_an_unusable_customer_key_is_refused(name: Any) -> None:
    with (
        override_settings(PARTNERSTACK_CUSTOMER_KEY="tests.shop.keys.plain_name"),
        pytest.raises(SourceError, match=r"PARTNERSTACK_CUSTOMER_KEY returned .* for shop.Account 1"),
    ):
        key_of(Account(pk=1, name=name))


@override_settings(PARTNERSTACK_CUSTOMER_KEY="tests.shop.keys.by_name")
def test_a_key_that_two_objects_get_is_refused_and_both_are_named() -> None:
    first = Account.objects.create(email="a@customers.example", name="ada")
    [second] = Account.objects.bulk_create(
        [Account(pk=first.pk + 1, email="b@customers.example", name="ada")]
    )
    with pytest.raises(KeyCollision, match=f"shop.account {second.pk} .* shop.account {first.pk} has it"):
        track.signup(second)
    assert OutboxMessage.objects.filter(subject="customer ada").count() == 1


def test_the_same_primary_key_in_two_databases_is_two_customers(second: str) -> None:
    shop = Account.objects.create(email="a@customers.example")
    track.event(at(second, Account(pk=shop.pk)), "demo", key="demo-1")
    assert OutboxMessage.objects.get(subject="demo-1").lane == f"customer:second.shop-account-{shop.pk}"


def test_a_model_that_takes_the_name_of_a_renamed_model_shares_no_key() -> None:
    shop = Account.objects.create(email="a@customers.example")
    CustomerIdentity.objects.update(table="shop_former", model="shop.former")
    shop.email = "b@customers.example"
    shop.save()
    keys = set(CustomerIdentity.objects.values_list("key", flat=True))
    assert len(keys) == 2
    assert all(key.startswith(f"shop-account-{shop.pk}") for key in keys)


def test_a_rolled_back_customer_is_not_recorded() -> None:
    with transaction.atomic():
        Account.objects.create(email="a@customers.example")
        transaction.set_rollback(True)
    assert not CustomerIdentity.objects.exists()


def test_the_attribution_has_the_recorded_key(rf: Any) -> None:
    shop = Account.objects.create(email="a@customers.example", name="ada")
    with override_settings(PARTNERSTACK_CUSTOMER_KEY="tests.shop.keys.by_name"):
        track.signup(shop, request=rf.get("/"))
    assert Attribution.objects.get().customer_key == f"shop-account-{shop.pk}"


def test_a_bulk_created_customer_with_a_composite_key_is_reported_by_a_backfill() -> None:
    Seat.objects.bulk_create(Seat(floor=floor, number=number) for floor in (1, 2) for number in (1, 2, 3))
    assert backfill(Seat, mode="test", on_page=lambda result: None).queued == 6
    assert backfill(Seat, mode="test", on_page=lambda result: None).known == 6


#: How each kind of row is created, and the ways to load it again.
KINDS: dict[str, tuple[Callable[[int], Any], list[Callable[[Any], Any]]]] = {
    "parent": (
        lambda number: Party.objects.create(),
        [
            lambda row: Party.objects.get(pk=row.pk),
            lambda row: Member.objects.get(pk=row.pk),
            lambda row: Party.objects.only("pk").get(pk=row.pk),
            lambda row: Party(pk=str(row.pk), email="party@customers.example"),
        ],
    ),
    "child": (
        lambda number: Company.objects.create(),
        [
            lambda row: Company.objects.get(pk=row.pk),
            lambda row: Party.objects.get(pk=row.pk),
            lambda row: Company.objects.defer("email").get(pk=row.pk),
        ],
    ),
    "text": (
        lambda number: Badge.objects.create(code=f"B-{number}"),
        [lambda row: Badge.objects.get(pk=row.pk), lambda row: row],
    ),
    "number as text": (
        lambda number: Badge.objects.create(code=number),
        [lambda row: Badge.objects.get(pk=row.pk), lambda row: row],
    ),
    "uuid": (
        lambda number: Device.objects.create(),
        [lambda row: Device.objects.get(pk=row.pk), lambda row: Device(pk=row.pk.hex, email=row.email)],
    ),
    "composite": (
        lambda number: Seat.objects.create(floor=1, number=number),
        [
            lambda row: Seat.objects.get(pk=row.pk),
            lambda row: Seat(floor="1", number=str(row.number), email=row.email),
        ],
    ),
}
VERBS = ("save", "sign up", "purchase", "refund", "event", "backfill")
STEP = st.tuples(st.sampled_from(sorted(KINDS)), st.integers(0, 1), st.integers(0, 3), st.sampled_from(VERBS))


def report(verb: str, customer: Any, key: str) -> None:
    if verb == "save":
        customer._state.adding = False
        customer.save()
    elif verb == "sign up":
        track.signup(customer, email=f"{key}@customers.example")
    elif verb == "event":
        track.event(customer, "demo", key=key)
    elif verb == "backfill":
        backfill(type(customer), mode="test", on_page=lambda result: None)
    else:
        track.purchase(customer, amount=4900, currency="USD", key=key)
        if verb == "refund":
            track.refund(key)


@settings(
    max_examples=by_length(quick=10, usual=30, long=500),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(steps=st.lists(STEP, max_size=12))
def test_one_row_has_one_key_and_two_rows_never_share_one(
    steps: list[tuple[str, int, int, str]], second: str
) -> None:
    with transaction.atomic():
        rows: dict[tuple[str, int], Any] = {}
        lanes: dict[Any, set[str]] = defaultdict(set)
        for number, (kind, which, form, verb) in enumerate(steps):
            create, ways = KINDS[kind]
            if (kind, which) not in rows:
                rows[kind, which] = create(100 + number)
            row = rows[kind, which]
            before = set(OutboxMessage.objects.values_list("pk", flat=True))
            report(verb, ways[form % len(ways)](row), f"key-{number}")
            elsewhere = at(second, type(row)(pk=row.pk))
            track.event(elsewhere, "demo", key=f"second-{number}")
            for message in OutboxMessage.objects.exclude(pk__in=before):
                place = "second" if message.subject.startswith("second") else "default"
                if verb != "backfill" or place == "second":
                    lanes[kind, which, place].add(message.lane)
            lanes[kind, which, "default"].add(f"customer:{key_of(row)}")
        found = [lane for each in lanes.values() for lane in each]
        assert all(len(each) == 1 for each in lanes.values()), dict(lanes)
        assert len(found) == len(set(found))
        transaction.set_rollback(True)
    assert connection.alias == "default"
