import pytest
import responses
from django.db import connection
from django.test.utils import CaptureQueriesContext

from django_partnerstack.client import Client, GroupRecord, Page
from django_partnerstack.exceptions import RecordError
from django_partnerstack.models import Customer, Group, SyncSeen, SyncState
from django_partnerstack.resources import RESOURCES
from django_partnerstack.signals import objects_synced
from django_partnerstack.sync import Pulled, pull
from django_partnerstack.sync.checkpoint import Checkpoint
from django_partnerstack.sync.lease import ResourceLease
from django_partnerstack.sync.page_writer import PageWriter

from .conftest import API_URL, stop_after_the_first_page

pytestmark = pytest.mark.django_db


def test_each_page_sends_a_signal_with_the_keys_that_were_written(many, sync, received):
    sync(many)
    keys = [item["key"] for item in many.sandbox.objects("customers")]
    pages = [keys[:250], keys[250:500], keys[500:]]
    assert received == [
        {"sender": Customer, "mode": "test", "created": page, "updated": [], "unchanged": 0} for page in pages
    ]


def test_the_signal_has_the_changed_keys_and_the_number_of_unchanged_objects(programme, sync, received):
    sync(programme)
    key = programme.sandbox.objects("customers")[3]["key"]
    programme.sandbox.change("customers", key, name="New")
    sync(programme, full=True)
    assert received[1:] == [
        {"sender": Customer, "mode": "test", "created": [], "updated": [key], "unchanged": 9}
    ]


def test_a_page_without_changes_sends_no_signal(programme, sync, received):
    sync(programme)
    received.clear()
    sync(programme, full=True)
    assert received == []


@pytest.mark.django_db(transaction=True)
def test_receivers_are_called_after_the_commit(programme, sync):
    within = []

    def note(**kwargs):
        within.append(connection.in_atomic_block)

    objects_synced.connect(note)
    sync(programme)
    objects_synced.disconnect(note)
    assert within == [False]


@pytest.mark.filterwarnings("ignore")
def test_a_receiver_that_fails_does_not_stop_the_pull(many, sync, received):
    def fail(**kwargs):
        raise ZeroDivisionError

    objects_synced.connect(fail)
    assert sync(many).complete
    objects_synced.disconnect(fail)
    assert len(received) == 3


def listing(*items, **more):
    responses.get(f"{API_URL}/customers", json={"data": {"items": items, "has_more": False}}, **more)


def pull_customers(clock, **options):
    return pull("customers", client=Client("pk_x", "sk_x"), mode="test", now=clock, **options)


UNUSABLE = [
    {"key": "cus_" + "x" * 300},
    {"name": "no key"},
    None,
    {"key": "cus_bad", "provider_key": "x" * 300},
]


@responses.activate
def test_an_unusable_object_is_counted_and_the_others_are_stored(clock):
    listing({"key": "cus_1"}, *UNUSABLE, {"key": "cus_2"})
    pulled = pull_customers(clock, full=True)
    assert set(Customer.objects.values_list("key", flat=True)) == {"cus_1", "cus_2"}
    assert (pulled.created, pulled.unusable, pulled.finished, pulled.complete) == (2, 4, True, False)
    assert all(isinstance(reason, RecordError) for reason in pulled.reasons)


@responses.activate
def test_twenty_reasons_are_kept_and_all_are_counted(clock):
    listing(*[{"name": "no key"}] * 100)
    pulled = pull_customers(clock)
    assert (pulled.unusable, len(pulled.reasons)) == (100, 20)


@responses.activate
def test_an_object_that_became_unusable_is_not_missing(clock):
    Customer.objects.create(mode="test", key="cus_bad", synced_at=clock.now)
    clock.move(days=1)
    listing({"key": "cus_bad", "provider_key": "x" * 300})
    assert pull_customers(clock, full=True).missing == 0


@responses.activate
def test_the_newest_version_of_an_object_listed_twice_is_stored(clock):
    listing(
        {"key": "cus_1", "name": "old", "updated_at": 1000},
        {"key": "cus_1", "name": "new", "updated_at": 2000},
        {"key": "cus_1", "name": "old", "updated_at": 1000},
    )
    assert pull_customers(clock).created == 1
    assert Customer.objects.get().name == "new"


@responses.activate
def test_keys_that_differ_in_case_or_a_trailing_space_are_different_objects(clock):
    keys = ["cus_1", "CUS_1", "cus_1 ", "cus_\u00e9", "cus_e\u0301"]
    listing(*({"key": key} for key in keys))
    assert pull_customers(clock, full=True).created == 5
    assert set(Customer.objects.values_list("key", flat=True)) == set(keys)
    clock.move(days=1)
    responses.reset()
    listing({"key": "cus_1"})
    assert pull_customers(clock, full=True).missing == 4


@responses.activate
def test_text_that_databases_refuse_is_stored_with_replacement_characters(clock):
    body = (
        rb'{"data": {"items": [{"key": "cus_1", "name": "a\u0000b\ud800c", "meta": {"x": "\udc00\u0000"}}]}}'
    )
    responses.get(f"{API_URL}/customers", body=body)
    assert pull_customers(clock).complete
    assert Customer.objects.get().name == "a\ufffdb\ufffdc"
    assert pull_customers(clock, full=True).unchanged == 1


SHAPES = {
    "name": 'Zoë \U0001f600 "quoted" \\ back\nline \u2028 é',
    "meta": {"big": 2**80, "small": 0.1, "exact": 1.0, "tiny": 1e-9, "no": None, "yes": True, "": "empty"},
    "fields": [{"deep": [[[["x"]]]]}, "\U0001f600", 1.5, [], {}],
    "mdata": {"__proto__": 1, "$.a": 2, "[0]": 3, "a'b": 4, 'a"b': 5, "%s": "%(x)s"},
}


@responses.activate
def test_an_object_is_stored_as_received_and_found_unchanged(clock):
    listing({"key": "cus_1", "created_at": 1700000000123, "updated_at": 1700000000123, **SHAPES})
    pull_customers(clock)
    row = Customer.objects.get()
    assert row.raw.items() >= SHAPES.items()
    assert row.name == SHAPES["name"]
    assert row.remote_created_at.timestamp() == 1700000000.123
    assert pull_customers(clock, full=True).unchanged == 1


@responses.activate
def test_an_object_that_the_database_refuses_does_not_stop_the_others(clock):
    nested = "x"
    for _ in range(50):
        nested = {"a": nested}  # MariaDB accepts no more than 32
    listing({"key": "cus_1"}, {"key": "cus_deep", "meta": nested}, {"key": "cus_2"})
    pulled = pull_customers(clock)
    assert pulled.finished
    assert (pulled.created, pulled.unusable) in {(2, 1), (3, 0)}
    assert Customer.objects.filter(key__in=["cus_1", "cus_2"]).count() == 2


def test_the_seen_keys_are_deleted_after_a_full_pull(many, sync):
    sync(many, full=True)
    assert not SyncSeen.objects.exists()


def test_keys_that_an_abandoned_full_pull_has_seen_do_not_hide_a_missing_row(many, sync, clock):
    sync(many)
    clock.move(hours=1)
    stop_after_the_first_page(sync, many, full=True)
    SyncState.objects.update(checkpoint=None)
    many.sandbox.remove("customers", many.last_key_of_page(1))
    assert sync(many, full=True).missing == 1


def test_a_page_takes_five_queries_at_most(many, sync, clock):
    counts = []

    def per_page(captured, **options):
        seen = [0]

        def count(pulled):
            sqls = [query["sql"] for query in captured.captured_queries]
            kept = [sql for sql in sqls if not sql.startswith(("BEGIN", "COMMIT", "SAVEPOINT", "RELEASE"))]
            counts.append(len(kept) - seen[0])
            seen[0] = len(kept)

        return count

    def pages(**options):
        counts.clear()
        with CaptureQueriesContext(connection) as captured:
            sync(many, on_page=per_page(captured), **options)
        return max(counts[1:])

    assert pages(full=True) <= 5  # all are new
    assert pages(full=True) <= 5  # nothing changed
    clock.move(days=1)
    for item in many.sandbox.objects("customers"):
        many.sandbox.change("customers", item["key"], name="New")
    for _ in range(30):
        many.sandbox.create("customers")
    assert pages() <= 5


def test_a_text_that_is_too_long_costs_its_row_and_neither_the_page_nor_the_pull(clock):
    """A record that a site declares may have longer texts than the model."""
    groups = [GroupRecord(key=f"grup_{number}", name="x" * (254 + number)) for number in range(4)]
    with ResourceLease("test", "groups", clock) as lease:
        writer = PageWriter(RESOURCES["groups"], lease)
        checkpoint = Checkpoint(full=True, started_at=clock.now)
        pulled = Pulled("groups")
        pulled.add(*writer.write(Page(records=tuple(groups)), checkpoint))
        pulled.missing = writer.end(checkpoint)
    assert set(Group.objects.values_list("key", flat=True)) == {"grup_0", "grup_1"}
    assert (pulled.created, pulled.unusable, pulled.missing, pulled.complete) == (2, 2, 0, False)
    assert "grup_2: the database refuses it: partnerstack.Group.name has 255 char" in str(pulled.reasons[0])
