import json

import pytest
from django.core.management import CommandError
from django.test import override_settings

from django_partnerstack.models import Customer, Deal, SyncState
from django_partnerstack.resources import RESOURCES
from django_partnerstack.sandbox import PRODUCTION_KEYS, TEST_KEYS

pytestmark = pytest.mark.usefixtures("site")


def test_all_resources_are_synced_and_shown_in_a_table(sync):
    ran = sync()
    assert Customer.objects.count() == 600
    assert ran.error == ""
    lines = ran.out.splitlines()
    assert lines[0].split() == ["resource", "created", "updated", "unchanged", "missing", "unusable"]
    assert [line.split()[0] for line in lines[1:]] == list(RESOURCES)
    assert lines[3].split() == ["customers", "600", "0", "0", "0", "0"]


def test_only_the_named_resources_are_synced_once_each(sync):
    ran = sync("deals", "customers", "deals")
    assert [line.split()[0] for line in ran.out.splitlines()] == ["resource", "customers", "deals"]


def test_an_unknown_resource_is_refused_with_the_names_of_all_others(sync):
    error = sync("costumers").error
    assert error.startswith("There is no resource 'costumers'. Choose from groups, ")


def test_full_marks_deleted_objects_as_missing(sync, site):
    sync("customers")
    site.remove("customers", site.objects("customers")[0]["key"])
    assert sync("customers", "--full").out.splitlines()[1].split() == ["customers", "0", "0", "599", "1", "0"]


def test_since_reads_less(sync):
    sync("customers", "--since", "2024-06-01")
    assert 0 < Customer.objects.count() < 600


def test_full_and_since_exclude_each_other(sync):
    assert "not both" in sync("--full", "--since", "7d").error


@pytest.mark.parametrize("when", ["yesterday", "2026-13-01", "7", "-1d"])
def test_an_invalid_time_is_refused_with_examples(when, sync):
    with_equals = f"--since={when}"
    assert "is not a time; write 2026-01-31" in sync(with_equals).error


@pytest.mark.parametrize("number", ["0", "-1", "many", "1.5"])
def test_an_invalid_number_of_workers_is_refused(number, sync):
    assert "is not a whole number above 0" in sync(f"--workers={number}").error


def test_a_dry_run_writes_nothing(sync):
    assert sync("--dry-run").out.splitlines()[3].split()[:2] == ["customers", "600"]
    assert not Customer.objects.exists()
    assert not SyncState.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_workers_give_the_same_result(sync):
    assert sync("--workers", "4").error == ""
    assert Customer.objects.count() == 600


def test_without_a_terminal_a_line_is_printed_for_each_resource(sync):
    ran = sync("groups", "customers")
    assert ran.err.splitlines() == ["groups: 2 created", "customers: 600 created"]
    assert sync("groups").err.splitlines()[0].startswith("groups: ")


def test_with_json_nothing_else_is_printed(sync):
    ran = sync("groups", "--json")
    assert ran.err == ""
    assert json.loads(ran.out) == [
        {
            "resource": "groups",
            "created": 2,
            "updated": 0,
            "unchanged": 0,
            "missing": 0,
            "unusable": 0,
            "finished": True,
            "complete": True,
            "reasons": [],
            "error": None,
        }
    ]


def test_json_contains_errors(sync, site):
    site.faults.add("status", path="/api/v2/deals", status=404)
    ran = sync("deals", "--json")
    assert "404" in json.loads(ran.out)[0]["error"]
    assert ran.error.startswith("deals: GET /deals: 404")


def test_a_resource_that_fails_is_reported_in_one_line_and_marked_as_incomplete(sync, site):
    site.faults.add("status", path="/api/v2/deals", status=404)
    ran = sync()
    assert ran.error == "deals: GET /deals: 404 Fault on demand"
    assert next(line for line in ran.out.splitlines() if line.startswith("deals")).endswith("incomplete")
    assert Customer.objects.count() == 600


def test_rejected_keys_are_reported_in_one_line_without_the_keys(sync):
    with override_settings(PARTNERSTACK_SECRET_KEY="sk_wrong"):
        error = sync().error
    assert error.startswith("PartnerStack rejected your API keys. Correct PARTNERSTACK_PUBLIC_KEY and ")
    assert "\n" not in error
    assert "sk_wrong" not in error


def test_missing_keys_are_reported_in_one_line(sync):
    with override_settings(PARTNERSTACK_PUBLIC_KEY=""):
        assert "are not set" in sync().error


def test_a_lack_of_network_is_reported_in_one_line(sync, free_port, settings):
    settings.PARTNERSTACK_API_URL = f"http://127.0.0.1:{free_port}/api/v2"
    settings.PARTNERSTACK_CONNECT_TIMEOUT = 0.2
    error = sync().error
    assert error.startswith("PartnerStack cannot be reached; check the network and PARTNERSTACK_API_URL")
    assert "\n" not in error


def test_an_invalid_mode_is_reported_in_one_line(sync):
    with override_settings(PARTNERSTACK_MODE="live"):
        assert sync().error == "PARTNERSTACK_MODE is 'live'; it must be 'test' or 'production'."


def test_keys_of_the_other_mode_are_reported_and_the_command_fails(sync, site):
    site.create("customers", mode="production")
    with override_settings(
        PARTNERSTACK_PUBLIC_KEY=PRODUCTION_KEYS[0], PARTNERSTACK_SECRET_KEY=PRODUCTION_KEYS[1]
    ):
        error = sync("customers").error
    assert error.startswith("PARTNERSTACK_MODE is 'test', but PartnerStack returns production data")


def test_another_run_is_reported_in_one_line(sync):
    SyncState.objects.create(
        mode="test", resource="deals", lease_owner="elsewhere:1:x", lease_expires_at="2100-01-01T00:00Z"
    )
    ran = sync()
    assert ran.error.startswith("deals: Another run is syncing deals (test): elsewhere:1:x.")
    assert Customer.objects.count() == 600
    assert not Deal.objects.exists()


def test_unusable_objects_are_reported_and_the_command_fails(sync, site):
    key = site.objects("deals")[0]["key"]
    site.change("deals", key, external_key="x" * 300)
    ran = sync("deals")
    assert ran.error == "deals: unusable objects: 1. All others are stored."
    assert "external_key is longer than 255 characters" in ran.err
    assert Deal.objects.count() == 3


def test_call_command_raises_a_command_error(site):
    from django.core.management import call_command

    with override_settings(PARTNERSTACK_PUBLIC_KEY=""), pytest.raises(CommandError):
        call_command("partnerstack_sync")


def test_no_output_contains_a_key(sync, site):
    site.faults.add("html", path="/api/v2/deals")
    ran = sync()
    for key in TEST_KEYS:
        assert key not in ran.out + ran.err + ran.error
