"""A key that another object has cannot be taken by an update: the answer is that to a second creation."""

import pytest

VALID = {
    "customers": {"partner_key": "gstest"},
    "deals": {"partner_key": "gstest"},
    "leads": {"partner_key": "gstest", "status": "open", "meta": {}},
}
NATURAL = {"customers": "customer_key", "deals": "external_key", "leads": "external_key"}


@pytest.fixture(params=VALID)
def two(request, api):
    """A resource, the name of its own key, and two objects with the keys ``a`` and ``b``."""
    name, field = request.param, NATURAL[request.param]
    for key in "ab":
        email = {"email": f"{key}@site.example"} if name == "customers" else {}
        api.post(f"/{name}", **VALID[name], **email, **{field: key})
    return name, field


@pytest.mark.parametrize("answer", ["409", "400"])
def test_an_update_to_a_taken_key_is_refused(sandbox, api, two, answer):
    name, field = two
    sandbox.behaviour.duplicates = answer
    before = sandbox.objects(name)
    assert api.refused("PATCH", f"/{name}/b", {field: "a"})[0] == int(answer)
    assert sandbox.objects(name) == before
    assert sandbox.effects["test", f"{name}.update", "b"] == 0


def test_an_update_to_a_taken_key_can_return_the_other_object_unchanged(sandbox, api, two):
    name, field = two
    sandbox.behaviour.duplicates = "200"
    before = sandbox.objects(name)
    assert api.patch(f"/{name}/b", **{field: "a"})[field] == "a"
    assert sandbox.objects(name) == before


def test_two_objects_can_have_one_key(sandbox, api, two):
    name, field = two
    sandbox.behaviour.duplicates = "accepted"
    api.patch(f"/{name}/b", **{field: "a"})
    assert [row[field] for row in sandbox.objects(name)] == ["a", "a"]


def test_an_object_keeps_its_own_key_or_takes_a_free_key(api, two):
    name, field = two
    assert api.patch(f"/{name}/b", **{field: "b"})[field] == "b"
    assert api.patch(f"/{name}/b", **{field: "c"})[field] == "c"


def test_the_key_of_a_deleted_customer_stays_taken(sandbox, api):
    api.customer("a")
    api.customer("b")
    api("DELETE", "/customers/a")
    assert api.refused("PATCH", "/customers/b", {"customer_key": "a"})[0] == 409
    sandbox.behaviour.deleted_keys_reusable = True
    assert api.patch("/customers/b", customer_key="a")["customer_key"] == "a"


@pytest.mark.parametrize("answer", ["409", "400"])
def test_an_update_in_version_1_is_refused_too(sandbox, api, v1_api, answer):
    sandbox.behaviour.duplicates = answer
    api.customer("a")
    api.customer("b")
    assert v1_api("PATCH", "/customers/b", {"key": "a"})["status"] == int(answer)
    assert api.get("/customers/b")["email"] == "b@site.example"


@pytest.mark.parametrize("change", [{"email": "a@site.example"}, {"meta": {"email": "a@site.example"}}])
def test_a_taken_e_mail_address_is_refused_where_addresses_are_unique(sandbox, api, change):
    sandbox.behaviour.unique_emails = True
    api.customer("a")
    api.customer("b")
    assert api.refused("PATCH", "/customers/b", change)[0] == 409
