from datetime import datetime, timedelta, timezone

import pytest
from django.db import connection, connections

from django_partnerstack.client.records import CustomerRecord, GroupRecord
from django_partnerstack.mapping import announce, compare, store, to_row
from django_partnerstack.models import Customer
from django_partnerstack.models.bulk import upsert
from django_partnerstack.resources import RESOURCES

NOW = datetime(2026, 6, 1, tzinfo=timezone.utc)
EARLY, LATE = 1_700_000_000_000, 1_700_000_999_000


def customer(key="cus_1", updated_at=EARLY, **fields):
    return CustomerRecord.from_api({"key": key, "updated_at": updated_at, **fields})


def put(*records, mode="test", now=NOW):
    return store(Customer, records, mode=mode, now=now)


@pytest.mark.parametrize("resource", RESOURCES.values(), ids=RESOURCES)
def test_a_mirror_has_a_column_for_each_field_of_its_record_and_no_more(resource):
    record = resource.record.from_api({"key": "x_1"})
    assert {field.name for field in resource.model._meta.concrete_fields} == {
        "id",
        *to_row(record, mode="test", synced_at=NOW),
    }


def test_a_row_has_the_values_of_its_record():
    record = GroupRecord.from_api({"key": "grup_1", "name": "Gold", "default": True, "created_at": 0})
    assert to_row(record, mode="test", synced_at=NOW) == {
        "key": "grup_1",
        "remote_created_at": datetime(1970, 1, 1, tzinfo=timezone.utc),
        "remote_updated_at": None,
        "archived": False,
        "raw": {"key": "grup_1", "name": "Gold", "default": True, "created_at": 0},
        "name": "Gold",
        "slug": "",
        "default": True,
        "mode": "test",
        "missing_since": None,
        "synced_at": NOW,
    }


@pytest.mark.django_db
class TestStore:
    def test_new_objects_are_created_with_their_mode_and_time(self):
        difference = put(customer(name="Ann"))
        row = Customer.objects.get()
        assert (row.key, row.mode, row.name, row.synced_at) == ("cus_1", "test", "Ann", NOW)
        assert [record.key for record in difference.created] == ["cus_1"]

    def test_the_same_key_in_another_mode_is_another_object(self):
        put(customer(name="Test"))
        put(customer(name="Live"), mode="production")
        assert Customer.objects.get(mode="test").name == "Test"
        assert Customer.objects.get(mode="production").name == "Live"

    def test_a_newer_version_overwrites(self):
        put(customer(name="old"))
        assert len(put(customer(name="new", updated_at=LATE)).updated) == 1
        assert Customer.objects.get().name == "new"

    def test_an_older_version_changes_nothing_and_counts_as_unchanged(self):
        put(customer(name="new", updated_at=LATE))
        assert put(customer(name="old")).unchanged == 1
        assert Customer.objects.get().name == "new"

    def test_a_change_under_the_same_time_is_written(self):
        put(customer(name="one"))
        assert len(put(customer(name="other")).updated) == 1

    @pytest.mark.parametrize(("before", "after"), [(None, EARLY), (EARLY, None), (None, None)])
    def test_a_version_without_a_time_counts_as_a_change(self, before, after):
        put(customer(name="one", updated_at=before))
        put(customer(name="other", updated_at=after))
        assert Customer.objects.get().name == "other"

    def test_an_unchanged_row_is_not_written(self):
        put(customer())
        assert put(customer(), now=NOW + timedelta(days=1)).unchanged == 1
        assert Customer.objects.get().synced_at == NOW

    def test_a_row_that_was_missing_is_written_again(self):
        put(customer())
        Customer.objects.update(missing_since=NOW)
        put(customer())
        assert Customer.objects.get().missing_since is None

    def test_without_a_change_a_page_costs_one_query_and_no_transaction(self, django_assert_num_queries):
        put(customer())
        with django_assert_num_queries(1):
            put(customer())

    def test_a_change_takes_two_queries_for_any_number_of_objects(self, django_assert_num_queries):
        with django_assert_num_queries(2):
            put(*(customer(f"cus_{number}", customer_key=f"account-{number}") for number in range(250)))
        assert Customer.objects.count() == 250

    def test_two_objects_with_the_same_customer_key_are_two_rows(self):
        put(*(customer(key, customer_key="account-1") for key in ("cus_1", "cus_2")))
        assert Customer.objects.filter(customer_key="account-1").count() == 2


@pytest.mark.django_db
def test_compare_writes_nothing():
    put(customer("cus_1"))
    difference = compare(Customer, [customer("cus_1", name="New"), customer("cus_2")], mode="test")
    assert [record.key for record in difference.created] == ["cus_2"]
    assert [record.key for record in difference.updated] == ["cus_1"]
    assert Customer.objects.get().name == ""


@pytest.mark.django_db
def test_no_signal_is_sent_if_nothing_was_written(sent):
    announce(Customer, put(), mode="test")
    assert sent == []


@pytest.fixture
def sent():
    from django_partnerstack.signals import objects_synced

    calls = []

    def receive(signal, **arguments):
        calls.append(arguments)

    objects_synced.connect(receive)
    yield calls
    objects_synced.disconnect(receive)


@pytest.mark.django_db(transaction=True)
def test_an_older_version_that_is_written_at_the_same_time_does_not_win():
    """Another transaction commits the newest version after the comparison and before the INSERT."""
    other = connections.create_connection("default")
    wrote = []

    def write_newer_first(execute, sql, params, many, context):
        if sql.startswith("INSERT") and not wrote:
            wrote.append(sql)
            with other.cursor() as cursor:
                cursor.execute(
                    "UPDATE partnerstack_customer SET name = 'newest', remote_updated_at = %s",
                    [other.ops.adapt_datetimefield_value(NOW)],
                )
        return execute(sql, params, many, context)

    put(customer(name="first"))
    try:
        with connection.execute_wrapper(write_newer_first):
            rows = [to_row(customer(name="older", updated_at=LATE), mode="test", synced_at=NOW)]
            upsert(Customer, rows, unique=("mode", "key"), newer="remote_updated_at", using="default")
    finally:
        other.close()
    assert wrote
    assert Customer.objects.get().name == "newest"
