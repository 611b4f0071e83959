from datetime import datetime, timezone

import pytest
from django.db import DataError
from django.db.models import CharField

from django_partnerstack.mapping import to_row
from django_partnerstack.models import Customer, Deal, Group, SyncSeen, SyncState
from django_partnerstack.models.bulk import BoundParam, insert, none_of, upsert, with_keys
from django_partnerstack.resources import RESOURCES

pytestmark = pytest.mark.django_db

EARLY = datetime(2026, 1, 1, 12, 30, 15, 123456, tzinfo=timezone.utc)
LATE = datetime(2026, 2, 1, tzinfo=timezone.utc)


def row(**columns):
    default = {
        "raw": {},
        "archived": False,
        "remote_updated_at": EARLY,
        "name": "",
        "slug": "",
        "default": False,
    }
    return {"mode": "test", "key": "grup_1", **default, **columns}


def put(*rows, model=Group):
    upsert(model, rows, unique=("mode", "key"), newer="remote_updated_at", using="default")


def test_a_row_is_read_as_it_was_written():
    put(
        row(
            name="Zoë \U0001f600 'a' \"b\" \\ %s", default=True, raw={"a": [1, 2.5, None, True, "\U0001f600"]}
        )
    )
    group = Group.objects.get()
    assert group.name == "Zoë \U0001f600 'a' \"b\" \\ %s"
    assert (group.default, group.archived) == (True, False)
    assert group.remote_updated_at == EARLY
    assert group.raw == {"a": [1, 2.5, None, True, "\U0001f600"]}


def test_the_largest_and_smallest_numbers_fit():
    rows = [
        {
            "mode": "test",
            "key": f"deal_{number}",
            "amount": number,
            "archived": False,
            "raw": {},
            "remote_updated_at": None,
        }
        | dict.fromkeys(("external_key", "partner_key", "customer_key", "account_name", "stage"), "")
        for number in (-(2**63), 2**63 - 1)
    ]
    put(*rows, model=Deal)
    assert set(Deal.objects.values_list("amount", flat=True)) == {-(2**63), 2**63 - 1}


def test_a_batch_can_contain_new_changed_and_older_rows():
    put(
        row(key="old", name="old", remote_updated_at=EARLY),
        row(key="new", name="new", remote_updated_at=LATE),
    )
    put(*(row(key=key, name="x", remote_updated_at=EARLY) for key in ("old", "new", "other")))
    assert dict(Group.objects.values_list("key", "name")) == {"old": "x", "new": "new", "other": "x"}


def test_no_column_is_written_if_the_existing_row_is_newer():
    put(row(name="new", slug="new", default=True, raw={"new": 1}, remote_updated_at=LATE))
    before = Group.objects.values().get()
    put(row(name="old", slug="old", default=False, raw={"old": 1}, remote_updated_at=EARLY))
    assert Group.objects.values().get() == before


def test_all_columns_are_written_if_the_existing_row_is_older():
    put(row(name="old", slug="old", default=True, raw={"old": 1}, remote_updated_at=EARLY))
    put(row(name="new", slug="new", default=False, raw={"new": 1}, remote_updated_at=LATE))
    group = Group.objects.get()
    assert (group.name, group.slug, group.default, group.raw) == ("new", "new", False, {"new": 1})
    assert group.remote_updated_at == LATE


def test_a_row_keeps_its_primary_key():
    put(row())
    pk = Group.objects.get().pk
    put(row(name="new"))
    assert Group.objects.get().pk == pk


def test_a_conditional_insert_does_nothing_if_the_condition_is_false():
    put(row(key="one"))
    nothing_like = none_of(Group.objects.filter(key=BoundParam("key")), using="default")
    for key, inserted in (("one", 0), ("three", 1)):
        condition = nothing_like.bind({"key": key})
        assert insert(Group, [row(key="two")], using="default", where=condition) == inserted


KEYS = ["a", "A", "a ", "é", "a'b", 'a"b', "a\\b", "%s", "\U0001f600"]


def test_rows_are_found_by_many_keys_exactly():
    for key in [*KEYS, "other"]:
        Customer.objects.create(mode="test", key=key)
        Customer.objects.create(mode="production", key=key)
    found = with_keys(Customer.objects.all(), "test", KEYS)
    assert {(customer.mode, customer.key) for customer in found} == {("test", key) for key in KEYS}


def test_without_keys_nothing_is_found():
    Customer.objects.create(mode="test", key="a")
    assert not with_keys(Customer.objects.all(), "test", [])


def text_columns():
    for resource in RESOURCES.values():
        columns = to_row(resource.record.from_api({"key": "x_1"}), mode="test", synced_at=LATE)
        for name in columns:
            field = resource.model._meta.get_field(name)
            if isinstance(field, CharField) and name != "mode":
                yield pytest.param(
                    resource.model, columns, name, field.max_length, id=f"{resource.name}.{name}"
                )


@pytest.mark.parametrize(("model", "columns", "name", "longest"), list(text_columns()))
def test_a_text_is_stored_whole_or_refused_with_the_same_error_everywhere(model, columns, name, longest):
    whole = "\N{GRINNING FACE}" * longest
    put({**columns, name: whole}, model=model)
    assert getattr(model.objects.get(), name) == whole
    model.objects.all().delete()
    refused = rf"{model.__name__}\.{name} has {longest} characters, and the text has {longest + 1}\."
    for long in (whole + "x", whole + " "):
        with pytest.raises(DataError, match=refused):
            put({**columns, "key": "other"}, {**columns, name: long}, model=model)
    assert not model.objects.exists()


def test_an_insert_refuses_a_text_that_is_too_long():
    SyncState.objects.create(mode="test", resource="customers", pk=1)
    for length in (255, 256):
        seen = [{"state_id": 1, "key": "x" * length}]
        if length == 255:
            assert insert(SyncSeen, seen, using="default") == 1
        else:
            with pytest.raises(DataError, match=r"SyncSeen\.key has 255 characters"):
                insert(SyncSeen, seen, using="default")
    assert [each.key for each in SyncSeen.objects.all()] == ["x" * 255]


def test_a_refused_text_does_not_end_the_transaction():
    with pytest.raises(DataError):
        put(row(name="x" * 256))
    put(row(name="x" * 255))
    assert Group.objects.get().name == "x" * 255
