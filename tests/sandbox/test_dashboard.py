import pytest


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


def test_what_is_not_given_is_made_up(sandbox):
    customer = sandbox.create("customers", name="Ada")
    assert customer["name"] == "Ada"
    assert customer["email"]
    assert customer in sandbox.objects("customers")


@pytest.mark.parametrize(
    "resource",
    [
        "groups",
        "partnerships",
        "customers",
        "transactions",
        "deals",
        "leads",
        "actions",
        "rewards",
        "webhooks",
    ],
)
def test_any_object_can_be_made_from_nothing(sandbox, resource):
    made = sandbox.create(resource)
    assert made in sandbox.objects(resource)
    sandbox.remove(resource, made["key"])
    assert made not in sandbox.objects(resource)


def test_what_vanished_is_not_found(sandbox, api):
    api.customer()
    sandbox.remove("customers", "c-1")
    assert api.refused("GET", "/customers/c-1")[0] == 404


def test_archived_objects_are_given_on_request(sandbox, api):
    customer = api.customer()
    sandbox.change("customers", "c-1", archived=True)
    assert sandbox.objects("customers") == []
    assert [row["key"] for row in sandbox.objects("customers", include_archived=True)] == [customer["key"]]


def test_the_other_mode_is_reached_by_name(sandbox, live_api):
    sandbox.create("customers", mode="production", customer_key="live")
    sandbox.change("customers", "live", mode="production", name="Live")
    assert live_api.get("/customers/live")["name"] == "Live"
    sandbox.remove("customers", "live", mode="production")
    assert sandbox.objects("customers", "production") == []


def test_none_of_this_counts_as_an_effect(sandbox):
    sandbox.create("customers", customer_key="c-1")
    sandbox.change("customers", "c-1", name="Ada")
    assert not sandbox.effects


@pytest.mark.parametrize("name", ["customer_external_key", "nonsense"])
def test_a_wrong_field_is_refused_with_the_right_ones(sandbox, name):
    with pytest.raises(ValueError, match=f"transactions have no field '{name}'. Known: amount, approved"):
        sandbox.create("transactions", **{name: "c-1"})


def test_wrong_names_are_refused(sandbox):
    with pytest.raises(ValueError, match=r"There is no resource 'client'. Known: groups"):
        sandbox.objects("client")
    with pytest.raises(ValueError, match="mode must be test or production"):
        sandbox.objects("customers", "live")
    with pytest.raises(LookupError, match="There is no customer 'c-1' in test mode"):
        sandbox.change("customers", "c-1", name="Ada")


def test_reset_begins_again(sandbox, api):
    before = sandbox.objects("partnerships")
    api.customer()
    sandbox.behaviour.duplicates = "200"
    sandbox.faults.add("empty")
    sandbox.reset()
    assert sandbox.objects("partnerships") == before
    assert sandbox.objects("customers") == sandbox.faults.active == []
    assert (sandbox.behaviour.duplicates, sandbox.effects.total()) == ("409", 0)
