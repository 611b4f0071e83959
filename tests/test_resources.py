"""A new resource needs one declaration in ``RESOURCES``: everything here follows from it."""

import json
from dataclasses import dataclass
from io import StringIO

import pytest
from django.core.management import call_command

from django_partnerstack.client import Record, fields
from django_partnerstack.client.records import RECORDS
from django_partnerstack.connection import get_client
from django_partnerstack.management.commands.partnerstack_sync import Command
from django_partnerstack.models import Deal, Mirror, SyncState
from django_partnerstack.resources import RESOURCES, Resource, of_model
from django_partnerstack.sandbox import TEST_KEYS, Sandbox
from django_partnerstack.sandbox.api.resource import Resource as SandboxResource
from django_partnerstack.sandbox.resources import RESOURCES as SANDBOX_RESOURCES
from django_partnerstack.signals import objects_synced
from django_partnerstack.sync import refresh

from .shop.models import Offer

pytestmark = pytest.mark.django_db

OFFERS_OF_THE_SANDBOX = SandboxResource(
    name="offers",
    key_prefix="offr_",
    render=lambda db, row, behaviour: {"title": row["title"]},
    seed_row=lambda db, number: {"title": f"Offer {number}"},
    readable=True,
    extra_fields=("title",),
)


@pytest.fixture(autouse=True)
def offers():
    @dataclass(frozen=True, slots=True, kw_only=True)
    class OfferRecord(Record, resource="offers"):
        title: str = fields.text()
        partner_key: str = fields.text()
        amount: int | None = fields.integer()

    SANDBOX_RESOURCES["offers"] = OFFERS_OF_THE_SANDBOX
    RESOURCES["offers"] = Resource(record=OfferRecord, model=Offer, readable=True)
    yield
    del RESOURCES["offers"], SANDBOX_RESOURCES["offers"], RECORDS["offers"]


@pytest.fixture
def sandbox(offers, settings):
    """PartnerStack with offers on two pages, and a site that is connected to it."""
    sandbox = Sandbox(offers=300)
    settings.PARTNERSTACK_PUBLIC_KEY, settings.PARTNERSTACK_SECRET_KEY = TEST_KEYS
    with sandbox.serve() as server:
        settings.PARTNERSTACK_API_URL = f"{server.url}/api/v2"
        yield sandbox


def sync(*arguments):
    """The counts that ``partnerstack_sync`` prints."""
    out = StringIO()
    call_command("partnerstack_sync", "offers", "--json", *arguments, stdout=out, stderr=StringIO())
    (result,) = json.loads(out.getvalue())
    assert result["complete"]
    return result["created"], result["updated"], result["missing"]


def change_and_remove_objects(sandbox):
    changed, removed, *_ = (offer["key"] for offer in sandbox.objects("offers"))
    sandbox.change("offers", changed, title="New")
    sandbox.remove("offers", removed)
    return changed, removed


def test_its_first_sync_copies_all_objects(sandbox):
    assert sync() == (300, 0, 0)
    mirrored = dict(Offer.objects.values_list("key", "title"))
    assert mirrored == {offer["key"]: offer["title"] for offer in sandbox.objects("offers")}


def test_an_incremental_sync_finds_changes(sandbox):
    sync()
    changed, _ = change_and_remove_objects(sandbox)
    assert sync() == (0, 1, 0)
    assert Offer.objects.get(key=changed).title == "New"


def test_a_full_sync_finds_what_is_missing(sandbox):
    sync()
    _, removed = change_and_remove_objects(sandbox)
    assert sync("--full") == (0, 1, 1)
    assert Offer.objects.exclude(missing_since=None).get().key == removed


def test_a_dry_run_counts_what_would_change_and_writes_nothing(sandbox):
    assert sync("--dry-run") == (300, 0, 0)
    assert not Offer.objects.exists()
    sync()
    change_and_remove_objects(sandbox)
    before = list(Offer.objects.values())
    assert sync("--full", "--dry-run") == (0, 1, 1)
    assert list(Offer.objects.values()) == before


def test_its_sync_has_a_state_and_sends_signals(sandbox):
    senders = []

    def receive(sender, created, **arguments):
        senders.append((sender, len(created)))

    objects_synced.connect(receive)
    sync()
    objects_synced.disconnect(receive)
    assert senders == [(Offer, 250), (Offer, 50)]
    assert SyncState.objects.get().resource == "offers"


def test_it_can_be_refreshed(sandbox):
    sync()
    rows = list(Offer.objects.filter(key__in=change_and_remove_objects(sandbox)))
    with get_client() as client:
        done = refresh(Offer, rows, client=client, deadline_seconds=60)
    assert (done.updated, done.missing, done.failed) == (1, 1, {})


def test_it_is_a_choice_of_the_command(sandbox):
    parser = Command().create_parser("manage.py", "partnerstack_sync")
    assert "rewards, offers" in " ".join(parser.format_help().split())


def test_it_is_found_by_its_model():
    assert of_model(Offer) is RESOURCES["offers"]
    assert of_model(Deal).name == "deals"


def test_a_model_without_a_declaration_is_a_lookup_error():
    with pytest.raises(LookupError, match="Mirror is the model of no resource"):
        of_model(Mirror)
