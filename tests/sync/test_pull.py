from datetime import timedelta

import pytest
from django.db import transaction
from django.db.models.signals import post_save

from django_partnerstack.client import Client
from django_partnerstack.models import MIRRORS, Customer, Reward, SyncState, Transaction
from django_partnerstack.sandbox import TEST_KEYS
from django_partnerstack.sync import RESOURCES, pull

pytestmark = pytest.mark.django_db


def mirrored(name):
    return {row.key: row.raw for row in MIRRORS[name].objects.filter(missing_since=None)}


def at_partnerstack(programme, name):
    archived_too = name == "partnerships"
    return {item["key"]: item for item in programme.sandbox.objects(name, include_archived=archived_too)}


@pytest.mark.parametrize("name", RESOURCES)
def test_every_resource_ends_up_in_its_mirror(name, programme, sync):
    pulled = sync(programme, name)
    assert mirrored(name) == at_partnerstack(programme, name)
    assert pulled.complete
    assert pulled.created == len(mirrored(name)) > 0


@pytest.mark.parametrize("name", RESOURCES)
def test_every_resource_comes_over_a_socket_too(name, programme, clock):
    with (
        programme.sandbox.serve() as server,
        Client(*TEST_KEYS, api_url=f"{server.url}/api/v2") as client,
    ):
        assert pull(name, client=client, mode="test", now=clock).complete
    assert mirrored(name) == at_partnerstack(programme, name)


def test_a_list_of_several_pages_is_read_to_its_end(many, sync):
    assert sync(many).created == 600
    assert mirrored("customers") == at_partnerstack(many, "customers")
    assert len(many.asked) == 3


def test_the_next_pull_asks_for_what_changed_since_with_an_overlap(programme, sync):
    sync(programme)
    newest = max(item["updated_at"] for item in at_partnerstack(programme, "customers").values())
    sync(programme)
    assert f"min_updated={newest - 15 * 60 * 1000}" in programme.asked[-1]


@pytest.mark.parametrize("inclusive", [True, False])
def test_a_change_at_the_very_moment_of_the_last_one_seen_is_found(inclusive, programme, sync, clock):
    programme.sandbox.behaviour.inclusive_bounds = inclusive
    one, other = list(at_partnerstack(programme, "customers"))[:2]
    programme.sandbox.change("customers", one, name="One")
    sync(programme)
    programme.sandbox.change("customers", other, name="Other")
    assert sync(programme).updated == 1
    assert Customer.objects.get(key=other).name == "Other"


def test_a_thousand_objects_of_the_same_moment_are_all_found(clock, programme, sync):
    sync(programme)
    for _ in range(300):
        programme.sandbox.create("customers")
    assert sync(programme).created == 300
    assert mirrored("customers") == at_partnerstack(programme, "customers")


def test_transactions_are_asked_for_by_creation_and_changes_come_with_the_full_walk(programme, sync):
    sync(programme, "transactions")
    key = min(at_partnerstack(programme, "transactions").values(), key=lambda item: item["created_at"])["key"]
    programme.sandbox.change("transactions", key, approved=False)
    assert sync(programme, "transactions").updated == 0
    assert "min_created=" in programme.asked[-1]
    assert sync(programme, "transactions", full=True).updated == 1
    assert Transaction.objects.get(key=key).approved is False


def test_unchanged_rows_are_not_written(programme, sync, clock):
    sync(programme)
    before = dict(Customer.objects.values_list("key", "synced_at"))
    clock.move(days=1)
    assert sync(programme, full=True).unchanged == 10
    assert dict(Customer.objects.values_list("key", "synced_at")) == before


def test_a_full_pull_marks_what_is_gone_and_deletes_nothing(programme, sync, clock):
    sync(programme)
    key = Customer.objects.first().key
    programme.sandbox.remove("customers", key)
    clock.move(hours=1)
    assert sync(programme, full=True).missing == 1
    assert Customer.objects.get(key=key).missing_since == clock.now
    assert Customer.objects.exclude(missing_since=None).count() == 1
    assert Customer.objects.count() == 10


def test_what_is_gone_already_keeps_its_date_and_is_not_counted_again(programme, sync, clock):
    sync(programme)
    programme.sandbox.remove("customers", Customer.objects.first().key)
    clock.move(hours=1)
    sync(programme, full=True)
    gone = clock.now
    clock.move(hours=1)
    assert sync(programme, full=True).missing == 0
    assert Customer.objects.exclude(missing_since=None).get().missing_since == gone


def test_what_comes_back_is_no_longer_missing(programme, sync, clock):
    sync(programme)
    Customer.objects.update(missing_since=clock.now)
    assert sync(programme, full=True).updated == 10
    assert not Customer.objects.exclude(missing_since=None).exists()


def test_an_incremental_pull_marks_nothing(programme, sync, clock):
    sync(programme)
    programme.sandbox.remove("customers", Customer.objects.first().key)
    clock.move(hours=1)
    assert sync(programme).missing == 0
    assert not Customer.objects.exclude(missing_since=None).exists()


def test_rows_of_the_other_mode_and_of_this_site_alone_are_not_missing(programme, sync, clock):
    Customer.objects.create(mode="production", key="cus_live", synced_at=clock.now - timedelta(days=1))
    Customer.objects.create(mode="test", key=None, customer_key="account-1")
    sync(programme, full=True)
    assert not Customer.objects.exclude(missing_since=None).exists()


def test_what_was_stored_while_a_full_pull_ran_is_not_missing(many, sync, clock):
    def store_another(pulled):
        clock.move(seconds=1)
        Customer.objects.get_or_create(mode="test", key="cus_new", defaults={"synced_at": clock.now})

    sync(many, full=True, on_page=store_another)
    assert Customer.objects.get(key="cus_new").missing_since is None


def test_since_reads_from_there_and_leaves_no_gap_for_the_next_pull(programme, sync, clock):
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


def test_since_before_the_last_pull_reads_more_and_moves_on(programme, sync, clock):
    sync(programme)
    assert sync(programme, since=clock.now - timedelta(days=3000)).unchanged == 10


def table_dump():
    return {model: list(model.objects.order_by("pk").values()) for model in (*MIRRORS.values(), SyncState)}


@pytest.mark.parametrize("full", [True, False])
def test_a_dry_run_says_what_would_change_and_writes_nothing(full, programme, sync, clock, received):
    sync(programme)
    gone, changed, *_ = at_partnerstack(programme, "customers")
    clock.move(hours=1)
    programme.sandbox.remove("customers", gone)
    programme.sandbox.change("customers", changed, name="Changed")
    programme.sandbox.create("customers")
    before = table_dump()
    received.clear()
    rehearsed = sync(programme, full=full, dry_run=True)
    assert (table_dump(), received) == (before, [])
    assert (rehearsed.created, rehearsed.updated, rehearsed.missing) == (1, 1, int(full))
    done = sync(programme, full=full)
    assert (done.created, done.updated, done.missing) == (1, 1, int(full))


def test_a_dry_run_of_an_empty_site_makes_no_state(programme, sync):
    assert sync(programme, dry_run=True).created == 10
    assert not SyncState.objects.exists()


def test_rewards_of_the_future_do_not_hide_those_that_come_before_them(programme, sync, clock):
    later = int((clock.now + timedelta(days=90)).timestamp() * 1000)
    programme.sandbox.create("rewards", reward_status="scheduled", created_at=later)
    sync(programme, "rewards")
    assert SyncState.objects.get(resource="rewards").watermark <= clock.now
    clock.move(days=1)
    key = programme.sandbox.create("rewards", reward_status="pending")["key"]
    sync(programme, "rewards")
    assert Reward.objects.filter(key=key).exists()


def test_scheduled_rewards_come_too_and_are_not_missing(programme, sync, clock):
    key = programme.sandbox.create("rewards", reward_status="scheduled")["key"]
    sync(programme, "rewards")
    clock.move(days=1)
    sync(programme, "rewards", full=True)
    assert Reward.objects.get(key=key).missing_since is None


def test_a_customer_of_this_site_is_adopted_when_it_comes_back(programme, sync):
    key, item = next(iter(at_partnerstack(programme, "customers").items()))
    ours = Customer.objects.create(mode="test", key=None, customer_key=item["customer_key"])
    pulled = sync(programme)
    assert (pulled.created, pulled.updated) == (9, 1)
    assert Customer.objects.get(pk=ours.pk).key == key
    assert Customer.objects.count() == 10


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
    assert not set(saved) & set(MIRRORS.values())


def test_the_flag_on_what_came_is_remembered(programme, sync, clock):
    sync(programme)
    state = SyncState.objects.get(resource="customers")
    assert (state.test_seen_at, state.production_seen_at) == (clock.now, None)


@pytest.mark.django_db(transaction=True)
def test_a_pull_within_a_transaction_is_refused_before_anything_is_asked(programme, sync):
    with transaction.atomic(), pytest.raises(RuntimeError, match="durable"):
        sync(programme)
    assert not programme.asked
