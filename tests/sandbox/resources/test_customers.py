"""Documented: docs.partnerstack.com/reference/post_customers, patch_customers, and objects seen."""

import pytest

VALID = {"customer_key": "c-1", "email": "a@site.example", "partner_key": "gstest"}


def test_only_the_first_problem_is_reported(api):
    assert api.refused("POST", "/customers", {}) == (400, "'email' is a required property")


def test_the_customer_key_may_be_null(api):
    customer = api.post("/customers", **{**VALID, "customer_key": None})
    assert customer["customer_key"] is None
    assert api.get(f"/customers/{customer['key']}") == customer


def test_the_customer_key_can_be_optional(sandbox, api):
    sandbox.behaviour.customer_key_required = False
    assert api.post("/customers", email="a@site.example", partner_key="gstest")["customer_key"] is None


def test_values_of_meta_are_in_mdata_and_fields(api):
    customer = api.customer("c-1", meta={"plan": "gold"})
    assert customer["meta"] == {}
    assert customer["mdata"] == customer["field_data"] == {"plan": "gold"}
    values = {field["api_name"]: field["value"] for field in customer["fields"]}
    assert values["plan"] == "gold"
    assert values["email"] == "c-1@site.example"


def test_custom_data_can_be_called_m_data(sandbox, api):
    sandbox.behaviour.mdata_name = "m_data"
    assert api.customer("c-1", meta={"plan": "gold"})["m_data"] == {"plan": "gold"}


def test_meta_writes_the_built_in_fields_too(api):
    assert api.customer("c-1", name="Ada", meta={"name": "Grace"})["name"] == "Grace"


def test_an_update_changes_only_the_fields_it_contains(api, clock):
    api.customer("c-1", name="Ada", meta={"plan": "gold"})
    clock.now += 60
    customer = api.patch("/customers/c-1", email="new@site.example")
    assert (customer["email"], customer["name"]) == ("new@site.example", "Ada")
    assert customer["mdata"] == {"plan": "gold"}
    assert customer["updated_at"] == customer["created_at"] + 60_000


def test_an_update_does_not_move_a_customer_to_another_partner(sandbox, api):
    api.customer()
    assert api.patch("/customers/c-1", partner_key="partner1")["partner_key"] == "gstest"
    sandbox.behaviour.unknown_fields = "reject"
    status, message = api.refused("PATCH", "/customers/c-1", {"partner_key": "partner1"})
    assert (status, message) == (400, "Additional properties are not allowed ('partner_key' was unexpected)")


def test_a_customer_key_can_be_changed(api):
    api.customer("old")
    api.patch("/customers/old", customer_key="new")
    assert api.get("/customers/new")["email"] == "old@site.example"
    assert api.refused("GET", "/customers/old")[0] == 404


@pytest.mark.parametrize(("clears", "expected"), [(True, None), (False, "Ada")])
def test_null_in_an_update_clears_the_field_or_not(sandbox, api, clears, expected):
    sandbox.behaviour.null_clears = clears
    api.customer("c-1", provider_key="Ada")
    assert api.patch("/customers/c-1", provider_key=None)["provider_key"] == expected


def test_the_switch_decides_which_keys_identify_a_customer_in_a_path(sandbox, api):
    customer = api.customer()
    names = {"external": "c-1", "internal": customer["key"], "email": "c-1%40site.example"}
    for name, path in names.items():
        sandbox.behaviour.customer_paths = (name,)
        answered = {other: api("GET", f"/customers/{value}")["status"] for other, value in names.items()}
        assert answered == {other: 200 if other == name else 404 for other in names}
        assert api("PATCH", f"/customers/{path}", {"name": name})["status"] == 200


def test_an_unknown_partner_is_refused(sandbox, api):
    assert api.refused("POST", "/customers", VALID | {"partner_key": "nobody"})[0] == 404
    sandbox.behaviour.unknown_reference = "400"
    assert api.refused("POST", "/customers", VALID | {"partner_key": "nobody"})[0] == 400


def test_a_partnership_key_is_accepted_as_partner_key_only_if_the_switch_is_on(sandbox, api):
    body = VALID | {"partner_key": api.get("/partnerships/gstest")["key"]}
    assert api.refused("POST", "/customers", body)[0] == 404
    sandbox.behaviour.partnership_key_as_partner_key = True
    assert api.post("/customers", **body)["partner_key"] == "gstest"


def test_a_filter_takes_several_values(sandbox, api):
    wanted = [sandbox.create("customers")["customer_key"] for _ in range(3)][:2]
    assert len(api.keys("/customers", customer_key=wanted)) == 2


def test_a_deleted_customer_is_no_longer_listed_and_can_still_be_read(api):
    api.customer()
    api("DELETE", "/customers/c-1")
    assert api.keys("/customers") == []
    assert api.get("/customers/c-1")["archived"] is True


def test_a_deleted_customer_can_be_unreadable_and_listed(sandbox, api):
    sandbox.behaviour.change(archived_readable=False, archived_listed=True, archived_flag=False)
    api.customer()
    api("DELETE", "/customers/c-1")
    assert api.refused("GET", "/customers/c-1")[0] == 404
    assert "archived" not in api.items("/customers")[0]


def test_a_deleted_customer_can_be_removed_for_good(sandbox, api):
    sandbox.behaviour.change(deletes="remove", archived_listed=True)
    api.customer()
    api("DELETE", "/customers/c-1")
    assert api.keys("/customers") == []
    assert api.refused("POST", "/customers", VALID)[0] == 409


@pytest.mark.parametrize("deletes", ["archive", "remove"])
def test_the_key_of_a_deleted_customer_can_be_used_again_only_if_the_switch_is_on(sandbox, api, deletes):
    sandbox.behaviour.deletes = deletes
    api.customer()
    api("DELETE", "/customers/c-1")
    assert api.refused("POST", "/customers", VALID)[0] == 409
    sandbox.behaviour.deleted_keys_reusable = True
    api.customer("c-1", name="Again")
    assert api.get("/customers/c-1")["name"] == "Again"


@pytest.mark.parametrize("status", ["404", "200"])
def test_a_second_deletion_has_no_effect(sandbox, api, status):
    sandbox.behaviour.second_delete = status
    api.customer()
    api("DELETE", "/customers/c-1")
    assert api("DELETE", "/customers/c-1")["status"] == int(status)
    assert sandbox.effects["test", "customers.delete", "c-1"] == 1


@pytest.mark.parametrize("status", ["409", "400"])
def test_a_duplicate_is_refused_and_has_no_effect(sandbox, api, status):
    sandbox.behaviour.duplicates = status
    api.customer()
    answered, message = api.refused("POST", "/customers", VALID)
    assert answered == int(status)
    assert "already exists" in message
    assert sandbox.effects["test", "customers.create", "c-1"] == 1


def test_a_duplicate_can_return_the_existing_object(sandbox, api):
    sandbox.behaviour.duplicates = "200"
    first = api.customer("c-1", name="First")
    assert api.customer("c-1", name="Second") == first
    assert sandbox.effects["test", "customers.create", "c-1"] == 1


def test_a_duplicate_can_be_accepted_silently(sandbox, api):
    sandbox.behaviour.duplicates = "accepted"
    keys = {api.customer()["key"], api.customer()["key"]}
    assert set(api.keys("/customers")) == keys
    assert sandbox.effects["test", "customers.create", "c-1"] == 2


def test_a_duplicate_e_mail_address_can_be_refused(sandbox, api):
    api.customer("c-1", email="a@site.example")
    api.customer("c-2", email="a@site.example")
    sandbox.behaviour.unique_emails = True
    assert api.refused("POST", "/customers", VALID | {"customer_key": "c-3"})[0] == 409


def test_effects_count_updates(sandbox, api):
    api.customer()
    api.patch("/customers/c-1", name="Ada")
    api.refused("PATCH", "/customers/c-1", {"name": 7})
    assert sandbox.effects["test", "customers.update", "c-1"] == 1
