import pytest

from django_partnerstack.sandbox.resources import RESOURCES


def test_a_change_can_be_read_and_moves_updated_at(sandbox, api, clock):
    customer = api.customer()
    clock.now += 60
    sandbox.change("customers", "c-1", name="Changed", partner_key="partner1")
    changed = api.get("/customers/c-1")
    assert (changed["name"], changed["partner_key"]) == ("Changed", "partner1")
    assert changed["updated_at"] == customer["updated_at"] + 60_000
    assert api.keys("/customers", min_updated=changed["updated_at"]) == [customer["key"]]


def test_timestamps_can_be_set(sandbox, api):
    api.customer()
    sandbox.change("customers", "c-1", created_at=1000, updated_at=2000)
    assert api.get("/customers/c-1")["updated_at"] == 2000
    assert api.items("/customers", max_created=1000)


def test_fields_that_are_not_given_get_sample_values(sandbox):
    customer = sandbox.create("customers", name="Ada")
    assert customer["name"] == "Ada"
    assert customer["email"]
    assert customer in sandbox.objects("customers")


@pytest.mark.parametrize("resource", RESOURCES)
def test_an_object_of_any_resource_can_be_created_without_fields(sandbox, resource):
    created = sandbox.create(resource)
    assert created in sandbox.objects(resource)
    sandbox.remove(resource, created["key"])
    assert created not in sandbox.objects(resource)


def test_a_removed_object_is_not_found(sandbox, api):
    api.customer()
    sandbox.remove("customers", "c-1")
    assert api.refused("GET", "/customers/c-1")[0] == 404


def test_archived_objects_are_listed_on_request(sandbox, api):
    customer = api.customer()
    sandbox.change("customers", "c-1", archived=True)
    assert sandbox.objects("customers") == []
    assert [row["key"] for row in sandbox.objects("customers", include_archived=True)] == [customer["key"]]


def test_objects_of_the_other_mode_can_be_changed(sandbox, live_api):
    sandbox.create("customers", mode="production", customer_key="live")
    sandbox.change("customers", "live", mode="production", name="Live")
    assert live_api.get("/customers/live")["name"] == "Live"
    sandbox.remove("customers", "live", mode="production")
    assert sandbox.objects("customers", "production") == []


def test_changes_in_the_dashboard_are_not_effects(sandbox):
    sandbox.create("customers", customer_key="c-1")
    sandbox.change("customers", "c-1", name="Ada")
    assert not sandbox.effects


@pytest.mark.parametrize("name", ["customer_external_key", "nonsense"])
def test_an_unknown_field_is_an_error_that_lists_the_known_names(sandbox, name):
    with pytest.raises(ValueError, match=f"transactions have no field '{name}'. Known: amount, approved"):
        sandbox.create("transactions", **{name: "c-1"})


def test_unknown_names_are_errors(sandbox):
    with pytest.raises(ValueError, match=r"There is no resource 'client'. Known: groups"):
        sandbox.objects("client")
    with pytest.raises(ValueError, match="mode must be test or production"):
        sandbox.objects("customers", "live")
    with pytest.raises(LookupError, match="There is no customer 'c-1' in test mode"):
        sandbox.change("customers", "c-1", name="Ada")
