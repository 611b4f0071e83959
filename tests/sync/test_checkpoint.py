from datetime import datetime, timedelta, timezone

import pytest

from django_partnerstack.models import Customer, SyncState
from django_partnerstack.sync.checkpoint import Checkpoint

from .conftest import mirrored_keys, stop_after_the_first_page

pytestmark = pytest.mark.django_db


def test_an_interrupted_pull_is_resumed_after_the_last_stored_page(many, sync):
    stop_after_the_first_page(sync, many)
    assert Customer.objects.count() == 250
    pulled = sync(many)
    assert pulled.created == 350
    assert len(many.queries) == 3
    assert many.customer_keys() == mirrored_keys()


def test_a_pull_that_failed_is_resumed_after_the_last_stored_page(many, sync):
    def break_down(pulled):
        many.sandbox.faults.add("status", status=503, times=4)

    with pytest.raises(Exception, match="503"):
        sync(many, on_page=break_down)
    assert sync(many).created == 350


def test_an_interrupted_full_pull_is_resumed_and_marks_deleted_objects_as_missing(many, sync, clock):
    sync(many)
    gone = many.last_key_of_page(2)
    many.sandbox.remove("customers", gone)
    clock.move(hours=1)
    stop_after_the_first_page(sync, many, full=True)
    assert sync(many).missing == 1
    assert Customer.objects.exclude(missing_since=None).get().key == gone


def test_a_full_pull_does_not_resume_an_incremental_pull(many, sync, clock):
    sync(many)
    clock.move(days=1)
    for item in many.sandbox.objects("customers")[:300]:
        many.sandbox.change("customers", item["key"], name="New")
    stop_after_the_first_page(sync, many)
    assert sync(many, full=True).read == 600


def test_a_change_to_a_page_that_was_read_is_found_by_the_next_pull(many, sync, clock):
    first = many.sandbox.objects("customers")[0]["key"]

    def change_what_was_read(pulled):
        clock.move(hours=1)
        many.sandbox.change("customers", first, name=f"Changed after {pulled.read}")

    sync(many, on_page=change_what_was_read)
    sync(many)
    assert Customer.objects.get(key=first).name == "Changed after 600"


def test_a_finished_pull_leaves_no_checkpoint_and_no_lease(many, sync):
    sync(many, full=True)
    state = SyncState.objects.get()
    assert (state.checkpoint, state.lease_owner, state.lease_expires_at) == (None, "", None)


@pytest.mark.parametrize(
    ("interrupted", "requested", "covers"),
    [
        ({"full": True}, {"full": False, "since": 5}, True),
        ({"full": True}, {"full": True}, True),
        ({"full": False}, {"full": True}, False),
        ({"full": False}, {"full": False, "since": 5}, True),
        ({"full": False, "since": 5}, {"full": False}, False),
        ({"full": False, "since": 5}, {"full": False, "since": 6}, True),
        ({"full": False, "since": 6}, {"full": False, "since": 5}, False),
    ],
)
def test_a_pull_is_resumed_only_if_it_reads_all_that_is_requested(interrupted, requested, covers, clock):
    def checkpoint(full, since=None):
        return Checkpoint(full=full, started_at=clock.now, since=since and clock.now + timedelta(days=since))

    assert checkpoint(**interrupted).covers(checkpoint(**requested)) is covers


def test_a_checkpoint_is_the_same_after_it_was_stored(clock):
    checkpoint = Checkpoint(full=True, started_at=clock.now, cursor="cus_1", newest=clock.now)
    assert Checkpoint.from_json(checkpoint.to_json()) == checkpoint


def stored_changes():
    """Each kind of checkpoint that another version may have stored."""
    yield from [None, [], "text", 5, {}]
    good = Checkpoint(
        full=True, started_at=datetime(2026, 6, 1, tzinfo=timezone.utc), cursor="cus_1"
    ).to_json()
    yield {**good, "added_later": 1}
    for name in good:
        yield {key: value for key, value in good.items() if key != name}
        wrong = {"since": ["soon", 5], "newest": ["soon", 5, "2026-06-01T12:00:00"], "cursor": [5, []]}
        for value in wrong.get(name, [{}]) if good[name] is None else [None, "soon", -1, 1.5, {}]:
            if not (name == "cursor" and value in (None, "soon")):
                yield {**good, name: value}


@pytest.mark.parametrize("stored", list(stored_changes()), ids=str)
def test_a_checkpoint_of_another_version_starts_the_pull_again(stored, many, sync):
    SyncState.objects.create(mode="test", resource="customers", checkpoint=stored)
    pulled = sync(many, full=True)
    assert (pulled.read, pulled.complete) == (600, True)
    assert SyncState.objects.get().checkpoint is None
