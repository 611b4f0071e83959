from datetime import timedelta

import pytest
from django.db import transaction
from django.db.models.signals import post_save

from django_partnerstack.client import Client
from django_partnerstack.models import Customer, Reward, SyncState, Transaction
from django_partnerstack.resources import RESOURCES
from django_partnerstack.sandbox import TEST_KEYS
from django_partnerstack.sync import pull

pytestmark = pytest.mark.django_db


def mirrored(name):
    return {row.key: row.raw for row in RESOURCES[name].model.objects.filter(missing_since=None)}


def at_partnerstack(programme, name):
    archived_too = name == "partnerships"
    return {item["key"]: item for item in programme.sandbox.objects(name, include_archived=archived_too)}


@pytest.mark.parametrize("name", RESOURCES)
def test_every_resource_is_copied_into_its_mirror(name, programme, sync):
    pulled = sync(programme, name)
    assert mirrored(name) == at_partnerstack(programme, name)
    assert pulled.complete
    assert pulled.created == len(mirrored(name)) > 0


@pytest.mark.parametrize("name", RESOURCES)
def test_every_resource_is_copied_over_a_socket(name, programme, clock):
    with (
        programme.sandbox.serve() as server,
        Client(*TEST_KEYS, api_url=f"{server.url}/api/v2") as client,
    ):
        assert pull(name, client=client, mode="test", now=clock).complete
    assert mirrored(name) == at_partnerstack(programme, name)


def test_a_list_of_several_pages_is_read_to_its_end(many, sync):
    assert sync(many).created == 600
    assert mirrored("customers") == at_partnerstack(many, "customers")
    assert len(many.queries) == 3


def test_the_next_pull_requests_what_changed_since_the_last_pull_with_an_overlap(programme, sync):
    sync(programme)
    newest = max(item["updated_at"] for item in at_partnerstack(programme, "customers").values())
    sync(programme)
    assert f"min_updated={newest - 15 * 60 * 1000}" in programme.queries[-1]


@pytest.mark.parametrize("inclusive", [True, False])
def test_a_change_at_the_time_of_the_newest_change_seen_is_found(inclusive, programme, sync, clock):
    programme.sandbox.behaviour.inclusive_bounds = inclusive
    one, other = list(at_partnerstack(programme, "customers"))[:2]
    programme.sandbox.change("customers", one, name="One")
    sync(programme)
    programme.sandbox.change("customers", other, name="Other")
    assert sync(programme).updated == 1
    assert Customer.objects.get(key=other).name == "Other"


def test_hundreds_of_objects_with_the_same_time_are_all_found(clock, programme, sync):
    sync(programme)
    for _ in range(300):
        programme.sandbox.create("customers")
    assert sync(programme).created == 300
    assert mirrored("customers") == at_partnerstack(programme, "customers")


def test_transactions_are_filtered_by_creation_and_a_full_pull_finds_changes(programme, sync):
    sync(programme, "transactions")
    key = min(at_partnerstack(programme, "transactions").values(), key=lambda item: item["created_at"])["key"]
    programme.sandbox.change("transactions", key, approved=False)
    assert sync(programme, "transactions").updated == 0
    assert "min_created=" in programme.queries[-1]
    assert sync(programme, "transactions", full=True).updated == 1
    assert Transaction.objects.get(key=key).approved is False


def test_unchanged_rows_are_not_written(programme, sync, clock):
    sync(programme)
    before = dict(Customer.objects.values_list("key", "synced_at"))
    clock.move(days=1)
    assert sync(programme, full=True).unchanged == 10
    assert dict(Customer.objects.values_list("key", "synced_at")) == before


def test_a_full_pull_marks_deleted_objects_as_missing_and_deletes_nothing(programme, sync, clock):
    sync(programme)
    key = Customer.objects.first().key
    programme.sandbox.remove("customers", key)
    clock.move(hours=1)
    assert sync(programme, full=True).missing == 1
    assert Customer.objects.get(key=key).missing_since == clock.now
    assert Customer.objects.exclude(missing_since=None).count() == 1
    assert Customer.objects.count() == 10


def test_a_missing_row_keeps_its_date_and_is_not_counted_again(programme, sync, clock):
    sync(programme)
    programme.sandbox.remove("customers", Customer.objects.first().key)
    clock.move(hours=1)
    sync(programme, full=True)
    gone = clock.now
    clock.move(hours=1)
    assert sync(programme, full=True).missing == 0
    assert Customer.objects.exclude(missing_since=None).get().missing_since == gone


def test_an_object_that_is_listed_again_is_no_longer_missing(programme, sync, clock):
    sync(programme)
    Customer.objects.update(missing_since=clock.now)
    assert sync(programme, full=True).updated == 10
    assert not Customer.objects.exclude(missing_since=None).exists()


def test_an_incremental_pull_marks_nothing_as_missing(programme, sync, clock):
    sync(programme)
    programme.sandbox.remove("customers", Customer.objects.first().key)
    clock.move(hours=1)
    assert sync(programme).missing == 0
    assert not Customer.objects.exclude(missing_since=None).exists()


def test_rows_of_the_other_mode_are_not_missing(programme, sync, clock):
    Customer.objects.create(mode="production", key="cus_live", synced_at=clock.now - timedelta(days=1))
    sync(programme, full=True)
    assert not Customer.objects.exclude(missing_since=None).exists()


def test_a_row_that_is_stored_during_a_full_pull_is_not_missing(many, sync, clock):
    def store_another(pulled):
        clock.move(seconds=1)
        Customer.objects.get_or_create(mode="test", key="cus_new", defaults={"synced_at": clock.now})

    sync(many, full=True, on_page=store_another)
    assert Customer.objects.get(key="cus_new").missing_since is None


def test_since_reads_from_that_time_and_leaves_no_gap_to_the_next_pull(programme, sync, clock):
    sync(programme)
    watermark = SyncState.objects.get(resource="customers").watermark
    clock.move(days=30)
    old, new = list(at_partnerstack(programme, "customers"))[:2]
    programme.sandbox.change("customers", old, name="Old")
    clock.move(days=10)
    programme.sandbox.change("customers", new, name="New")
    assert sync(programme, since=clock.now - timedelta(days=1)).updated == 1
    assert SyncState.objects.get(resource="customers").watermark == watermark
    assert sync(programme).updated == 1
    assert Customer.objects.get(key=old).name == "Old"


def test_since_before_the_last_pull_reads_more(programme, sync, clock):
    sync(programme)
    assert sync(programme, since=clock.now - timedelta(days=3000)).unchanged == 10


def table_dump():
    models = [*(resource.model for resource in RESOURCES.values()), SyncState]
    return {model: list(model.objects.order_by("pk").values()) for model in models}


@pytest.mark.parametrize("full", [True, False])
def test_a_dry_run_counts_what_would_change_and_writes_nothing(full, programme, sync, clock, received):
    sync(programme)
    gone, changed, *_ = at_partnerstack(programme, "customers")
    clock.move(hours=1)
    programme.sandbox.remove("customers", gone)
    programme.sandbox.change("customers", changed, name="Changed")
    programme.sandbox.create("customers")
    before = table_dump()
    received.clear()
    dry = sync(programme, full=full, dry_run=True)
    assert (table_dump(), received) == (before, [])
    assert (dry.created, dry.updated, dry.missing) == (1, 1, int(full))
    done = sync(programme, full=full)
    assert (done.created, done.updated, done.missing) == (1, 1, int(full))


def test_a_dry_run_of_an_empty_site_creates_no_state(programme, sync):
    assert sync(programme, dry_run=True).created == 10
    assert not SyncState.objects.exists()


def test_rewards_dated_in_the_future_do_not_hide_earlier_rewards(programme, sync, clock):
    later = int((clock.now + timedelta(days=90)).timestamp() * 1000)
    programme.sandbox.create("rewards", reward_status="scheduled", created_at=later)
    sync(programme, "rewards")
    assert SyncState.objects.get(resource="rewards").watermark <= clock.now
    clock.move(days=1)
    key = programme.sandbox.create("rewards", reward_status="pending")["key"]
    sync(programme, "rewards")
    assert Reward.objects.filter(key=key).exists()


def test_scheduled_rewards_are_mirrored_and_not_missing(programme, sync, clock):
    key = programme.sandbox.create("rewards", reward_status="scheduled")["key"]
    sync(programme, "rewards")
    clock.move(days=1)
    sync(programme, "rewards", full=True)
    assert Reward.objects.get(key=key).missing_since is None


def test_no_model_signal_is_sent_for_what_is_pulled(programme, sync):
    saved = []

    def note(sender, **kwargs):
        saved.append(sender)

    post_save.connect(note)
    try:
        for name in RESOURCES:
            sync(programme, name)
    finally:
        post_save.disconnect(note)
    assert not set(saved) & {resource.model for resource in RESOURCES.values()}


def test_mode_evidence_is_recorded_from_the_test_flag(programme, sync, clock):
    sync(programme)
    state = SyncState.objects.get(resource="customers")
    assert (state.test_seen_at, state.production_seen_at) == (clock.now, None)


@pytest.mark.django_db(transaction=True)
def test_a_pull_inside_a_transaction_is_refused_before_any_request(programme, sync):
    with transaction.atomic(), pytest.raises(RuntimeError, match="durable"):
        sync(programme)
    assert not programme.queries
