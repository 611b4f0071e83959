import pytest
from django.db import DatabaseError

from django_partnerstack.client import Client
from django_partnerstack.exceptions import AuthenticationFailed, NotSent, ServerError
from django_partnerstack.models import SyncState
from django_partnerstack.resources import RESOURCES
from django_partnerstack.sync import pull_all

from .conftest import Programme


def pulled_from(programme, clock, client=None, **options):
    options.setdefault("on_page", lambda pulled: None)
    return list(pull_all(RESOURCES, client=client or programme.client, mode="test", now=clock, **options))


@pytest.mark.django_db
def test_each_resource_has_a_result_in_the_order_of_the_names(programme, clock):
    results = pulled_from(programme, clock)
    assert [result.resource for result in results] == list(RESOURCES)
    assert all(result.complete for result in results)


@pytest.mark.django_db(transaction=True)
def test_workers_pull_at_the_same_time_and_fill_the_same_mirrors(programme, clock):
    results = pulled_from(programme, clock, workers=4)
    assert {result.resource for result in results if result.complete} == set(RESOURCES)
    for name, resource in RESOURCES.items():
        objects = programme.sandbox.objects(name, include_archived=name == "partnerships")
        assert resource.model.objects.count() == len(objects)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("workers", [1, 3])
def test_an_error_in_one_resource_is_returned_and_the_others_are_pulled(workers, programme, clock):
    programme.sandbox.faults.add("status", path="/api/v2/deals", status=500)
    results = {result.resource: result for result in pulled_from(programme, clock, workers=workers)}
    assert isinstance(results.pop("deals").error, ServerError)
    assert len(results) == 7
    assert all(result.complete for result in results.values())


@pytest.mark.django_db
def test_what_was_stored_before_an_error_is_counted(many, clock):
    def break_down(pulled):
        if pulled.resource == "customers":
            many.sandbox.faults.add("status", path="/api/v2/customers", status=500)

    results = {result.resource: result for result in pulled_from(many, clock, on_page=break_down)}
    assert (results["customers"].created, results["customers"].finished) == (250, False)


@pytest.mark.django_db
def test_rejected_keys_end_the_run_at_the_first_resource(programme, clock):
    programme.sandbox.faults.add("status", status=401)
    results = pulled_from(programme, clock)
    assert [type(result.error) for result in results] == [AuthenticationFailed]
    assert len(programme.queries) == 1


@pytest.mark.django_db
def test_without_a_connection_the_run_ends_at_the_first_resource(programme, clock, free_port):
    nobody = Client("pk_x", "sk_x", api_url=f"http://127.0.0.1:{free_port}/api/v2", deadline=0.2)
    assert [type(result.error) for result in pulled_from(programme, clock, nobody)] == [NotSent]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("workers", [1, 2])
def test_any_other_error_is_raised_and_releases_the_leases(workers, many, clock):
    def fail(pulled):
        raise DatabaseError("disk full")

    with pytest.raises(DatabaseError, match="disk full"):
        pulled_from(many, clock, workers=workers, on_page=fail)
    assert not SyncState.objects.exclude(lease_owner="").exists()


@pytest.mark.django_db(transaction=True)
def test_workers_stop_when_the_caller_stops_reading_results(clock):
    many = Programme(clock, customers=2000, partnerships=1)
    results = pull_all(
        RESOURCES, workers=8, client=many.client, mode="test", now=clock, on_page=lambda pulled: None
    )
    next(results)
    results.close()
    assert not SyncState.objects.exclude(lease_owner="").exists()
    # Empty if it had not begun.
    errors = set(SyncState.objects.values_list("error", flat=True))
    assert errors <= {"", "Stopped with the whole run."}
