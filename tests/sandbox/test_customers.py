"""Facts held: docs.partnerstack.com/reference/post_customers, patch_customers, and objects seen."""

import pytest

VALID = {"customer_key": "c-1", "email": "a@site.example", "partner_key": "gstest"}


def test_the_object_has_the_vendors_shape(ask):
    customer = ask.customer("c-1", name="Ada", provider_key="cus_stripe")
    assert customer["key"].startswith("cus_")
    assert len(customer["key"]) == len("cus_") + 14
    assert customer["customer_key"] == "c-1"
    assert customer["provider_key"] == "cus_stripe"
    assert customer["partner_key"] == "gstest"
    assert customer["partnership_key"].startswith("part_")
    assert customer["test"] is True
    assert customer["created_at"] == customer["updated_at"] == 1_800_000_000_000


@pytest.mark.parametrize("name", ["email", "partner_key", "customer_key"])
def test_what_is_required(ask, name):
    body = {field: value for field, value in VALID.items() if field != name}
    assert ask.refused("POST", "/customers", body) == (400, f"'{name}' is a required property")


def test_one_problem_is_named_however_many_there_are(ask):
    assert ask.refused("POST", "/customers", {}) == (400, "'email' is a required property")


def test_the_customer_key_may_be_null(ask):
    customer = ask.post("/customers", **{**VALID, "customer_key": None})
    assert customer["customer_key"] is None
    assert ask.get(f"/customers/{customer['key']}") == customer


def test_the_customer_key_can_be_optional(sandbox, ask):
    sandbox.behaviour.customer_key_required = False
    assert ask.post("/customers", email="a@site.example", partner_key="gstest")["customer_key"] is None


@pytest.mark.parametrize(
    "wrong",
    [
        {"email": "a@b"},
        {"email": "nonsense"},
        {"email": "a@" + "b" * 254},
        {"customer_key": "k" * 256},
        {"name": "n" * 101},
        {"name": 7},
        {"meta": []},
    ],
    ids=[
        "short e-mail",
        "no e-mail",
        "long e-mail",
        "long key",
        "long name",
        "name no text",
        "meta no object",
    ],
)
def test_limits(ask, wrong):
    assert ask.refused("POST", "/customers", VALID | wrong)[0] == 400


def test_meta_comes_back_empty_and_its_values_elsewhere(ask):
    customer = ask.customer("c-1", meta={"plan": "gold"})
    assert customer["meta"] == {}
    assert customer["mdata"] == customer["field_data"] == {"plan": "gold"}
    values = {field["api_name"]: field["value"] for field in customer["fields"]}
    assert values["plan"] == "gold"
    assert values["email"] == "c-1@site.example"


def test_custom_data_can_be_called_m_data(sandbox, ask):
    sandbox.behaviour.mdata_name = "m_data"
    assert ask.customer("c-1", meta={"plan": "gold"})["m_data"] == {"plan": "gold"}


def test_meta_writes_the_built_in_fields_too(ask):
    assert ask.customer("c-1", name="Ada", meta={"name": "Grace"})["name"] == "Grace"


def test_an_update_leaves_alone_what_was_not_sent(ask, clock):
    ask.customer("c-1", name="Ada", meta={"plan": "gold"})
    clock.now += 60
    customer = ask.patch("/customers/c-1", email="new@site.example")
    assert (customer["email"], customer["name"]) == ("new@site.example", "Ada")
    assert customer["mdata"] == {"plan": "gold"}
    assert customer["updated_at"] == customer["created_at"] + 60_000


def test_an_update_does_not_move_a_customer_to_another_partner(sandbox, ask):
    ask.customer()
    assert ask.patch("/customers/c-1", partner_key="partner1")["partner_key"] == "gstest"
    sandbox.behaviour.unknown_fields = "reject"
    status, message = ask.refused("PATCH", "/customers/c-1", {"partner_key": "partner1"})
    assert (status, message) == (400, "Additional properties are not allowed ('partner_key' was unexpected)")


def test_a_customer_key_can_be_changed(ask):
    ask.customer("old")
    ask.patch("/customers/old", customer_key="new")
    assert ask.get("/customers/new")["email"] == "old@site.example"
    assert ask.refused("GET", "/customers/old")[0] == 404


@pytest.mark.parametrize(("clears", "expected"), [(True, None), (False, "Ada")])
def test_null_in_an_update_clears_or_not(sandbox, ask, clears, expected):
    sandbox.behaviour.null_clears = clears
    ask.customer("c-1", provider_key="Ada")
    assert ask.patch("/customers/c-1", provider_key=None)["provider_key"] == expected


def test_which_keys_name_a_customer_in_a_path(sandbox, ask):
    customer = ask.customer()
    names = {"external": "c-1", "internal": customer["key"], "email": "c-1%40site.example"}
    for name, path in names.items():
        sandbox.behaviour.customer_paths = (name,)
        answered = {other: ask("GET", f"/customers/{value}")["status"] for other, value in names.items()}
        assert answered == {other: 200 if other == name else 404 for other in names}
        assert ask("PATCH", f"/customers/{path}", {"name": name})["status"] == 200


def test_an_unknown_partner_is_refused(sandbox, ask):
    assert ask.refused("POST", "/customers", VALID | {"partner_key": "nobody"})[0] == 404
    sandbox.behaviour.unknown_reference = "400"
    assert ask.refused("POST", "/customers", VALID | {"partner_key": "nobody"})[0] == 400


def test_a_partnership_key_is_no_partner_key_unless_it_is(sandbox, ask):
    body = VALID | {"partner_key": ask.get("/partnerships/gstest")["key"]}
    assert ask.refused("POST", "/customers", body)[0] == 404
    sandbox.behaviour.partnership_key_as_partner_key = True
    assert ask.post("/customers", **body)["partner_key"] == "gstest"


def test_filters(sandbox, ask):
    partner = ask.get("/partnerships/partner1")
    customers = [sandbox.create("customers", partner_key=f"partner{number}") for number in (1, 2)]
    first = [customers[0]["key"]]
    assert ask.keys("/customers", partner_key="partner1") == first
    assert ask.keys("/customers", partnership_key=partner["key"]) == first
    assert ask.keys("/customers", group=partner["group"]["slug"]) == first
    wanted = [customer["customer_key"] for customer in customers]
    assert len(ask.keys("/customers", customer_key=wanted)) == 2


def test_a_deleted_customer_leaves_the_list_and_can_still_be_read(ask):
    ask.customer()
    ask("DELETE", "/customers/c-1")
    assert ask.keys("/customers") == []
    assert ask.get("/customers/c-1")["archived"] is True


def test_a_deleted_customer_can_be_gone_for_reading_and_stay_in_lists(sandbox, ask):
    sandbox.behaviour.change(archived_readable=False, archived_listed=True, archived_flag=False)
    ask.customer()
    ask("DELETE", "/customers/c-1")
    assert ask.refused("GET", "/customers/c-1")[0] == 404
    assert "archived" not in ask.items("/customers")[0]


def test_deleting_can_remove_a_customer_for_good(sandbox, ask):
    sandbox.behaviour.change(deletes="remove", archived_listed=True)
    ask.customer()
    ask("DELETE", "/customers/c-1")
    assert ask.keys("/customers") == []
    assert ask.refused("POST", "/customers", VALID)[0] == 409


@pytest.mark.parametrize("deletes", ["archive", "remove"])
def test_the_key_of_a_deleted_customer_is_burnt_unless_it_is_not(sandbox, ask, deletes):
    sandbox.behaviour.deletes = deletes
    ask.customer()
    ask("DELETE", "/customers/c-1")
    assert ask.refused("POST", "/customers", VALID)[0] == 409
    sandbox.behaviour.deleted_keys_reusable = True
    ask.customer("c-1", name="Again")
    assert ask.get("/customers/c-1")["name"] == "Again"


@pytest.mark.parametrize("status", ["404", "200"])
def test_deleting_twice(sandbox, ask, status):
    sandbox.behaviour.second_delete = status
    ask.customer()
    ask("DELETE", "/customers/c-1")
    assert ask("DELETE", "/customers/c-1")["status"] == int(status)
    assert sandbox.effects["test", "customers.delete", "c-1"] == 1


@pytest.mark.parametrize("status", ["409", "400"])
def test_a_duplicate_is_refused_and_has_no_effect(sandbox, ask, status):
    sandbox.behaviour.duplicates = status
    ask.customer()
    answered, message = ask.refused("POST", "/customers", VALID)
    assert answered == int(status)
    assert "already exists" in message
    assert sandbox.effects["test", "customers.create", "c-1"] == 1


def test_a_duplicate_can_give_the_existing_object(sandbox, ask):
    sandbox.behaviour.duplicates = "200"
    first = ask.customer("c-1", name="First")
    assert ask.customer("c-1", name="Second") == first
    assert sandbox.effects["test", "customers.create", "c-1"] == 1


def test_a_duplicate_can_be_accepted_without_a_word(sandbox, ask):
    sandbox.behaviour.duplicates = "accepted"
    keys = {ask.customer()["key"], ask.customer()["key"]}
    assert set(ask.keys("/customers")) == keys
    assert sandbox.effects["test", "customers.create", "c-1"] == 2


def test_the_same_e_mail_can_be_refused(sandbox, ask):
    ask.customer("c-1", email="a@site.example")
    ask.customer("c-2", email="a@site.example")
    sandbox.behaviour.unique_emails = True
    assert ask.refused("POST", "/customers", VALID | {"customer_key": "c-3"})[0] == 409


def test_effects_count_updates(sandbox, ask):
    ask.customer()
    ask.patch("/customers/c-1", name="Ada")
    ask.refused("PATCH", "/customers/c-1", {"name": 7})
    assert sandbox.effects["test", "customers.update", "c-1"] == 1
