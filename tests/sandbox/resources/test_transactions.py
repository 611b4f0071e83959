"""Documented: docs.partnerstack.com/reference/post_transactions, and amounts in cents."""

import pytest

VALID = {"customer_external_key": "c-1", "amount": 4900, "currency": "USD", "key": "t-01"}


@pytest.fixture
def customer(api):
    return api.customer()


@pytest.mark.parametrize(
    ("name", "field"),
    [("customer_key", "key"), ("customer_external_key", "customer_key"), ("customer_email", "email")],
)
def test_each_of_three_references_names_the_customer(api, customer, name, field):
    transaction = api.post("/transactions", amount=1, currency="USD", **{name: customer[field]})
    assert transaction["customer"]["key"] == customer["key"]


def test_customer_key_is_partnerstacks_own_key_here(api, customer):
    assert (
        api.refused("POST", "/transactions", {"customer_key": "c-1", "amount": 1, "currency": "USD"})[0]
        == 404
    )


@pytest.mark.parametrize(
    "references", [{}, {"customer_external_key": "c-1", "customer_email": "c-1@site.example"}]
)
def test_exactly_one_reference_must_be_given(api, customer, references):
    status, message = api.refused("POST", "/transactions", {"amount": 1, "currency": "USD", **references})
    assert status == 400
    assert message.startswith("Exactly one of")


def test_a_transaction_contains_its_customer(api, customer):
    reference = {"key": customer["key"], "email": customer["email"], "external_key": "c-1"}
    assert api.transaction()["customer"] == reference


def test_a_key_is_generated_unless_it_is_given(api, customer):
    assert api.post("/transactions", customer_external_key="c-1", amount=1, currency="USD")["key"]


def test_a_transaction_can_be_backdated(api, customer):
    old = api.transaction("t-old", created_at=1_700_000_000_000)
    new = api.transaction("t-new")
    assert old["created_at"] == 1_700_000_000_000
    assert api.keys("/transactions") == [new["key"], old["key"]]


def test_a_transaction_is_found_by_its_time(api, customer):
    api.transaction("t-old", created_at=1_700_000_000_000)
    api.transaction("t-new")
    assert api.keys("/transactions", min_created=1_699_999_999_999, max_created=1_700_000_000_001) == [
        "t-old"
    ]


def test_a_transaction_can_be_neither_read_nor_changed(api, customer):
    api.transaction()
    assert api.refused("GET", "/transactions/t-01")[0] == 405
    assert api.refused("PATCH", "/transactions/t-01", {"amount": 1})[0] == 405


def test_a_key_with_a_slash_and_a_space_is_deleted_by_its_encoded_form(sandbox, api, customer):
    api.transaction("inv/2026 01")
    api("DELETE", "/transactions/inv%2F2026%2001")
    assert api.keys("/transactions") == []
    assert sandbox.effects["test", "transactions.delete", "inv/2026 01"] == 1


@pytest.mark.parametrize(
    ("duplicates", "statuses", "effects"),
    [("409", [200, 409], 1), ("400", [200, 400], 1), ("200", [200, 200], 1), ("accepted", [200, 200], 2)],
)
def test_the_same_key_twice(sandbox, api, customer, duplicates, statuses, effects):
    sandbox.behaviour.duplicates = duplicates
    assert [api("POST", "/transactions", VALID)["status"] for _ in range(2)] == statuses
    assert sandbox.effects["test", "transactions.create", "t-01"] == effects
    assert len(api.keys("/transactions")) == effects


def test_an_accepted_duplicate_remains_when_the_other_is_removed(sandbox, api, customer):
    sandbox.behaviour.duplicates = "accepted"
    api.transaction()
    api.transaction()
    sandbox.remove("transactions", "t-01")
    assert api.keys("/transactions") == ["t-01"]
    sandbox.remove("transactions", "t-01")
    assert api.keys("/transactions") == []


def test_an_unknown_customer_is_refused(api):
    assert api.refused("POST", "/transactions", VALID) == (404, "Customer 'c-1' not found")
