"""What the package's client may send, the sandbox takes: null for each field, in each operation."""

import importlib
import inspect

import pytest
import requests

from django_partnerstack.client import Client
from django_partnerstack.exceptions import InvalidArgument
from django_partnerstack.sandbox import TEST_KEYS, Sandbox
from django_partnerstack.testing import SandboxAdapter

RESOURCES = ("customers", "transactions", "deals", "leads", "partnerships", "rewards", "actions", "webhooks")
#: Arguments that create an object.
VALID = {
    "customers": {"customer_key": "c-1", "email": "c@site.example", "partner_key": "gstest"},
    "transactions": {"key": "inv_1", "amount": 4900, "currency": "USD", "customer_external_key": "c-0"},
    "deals": {"partner_key": "gstest", "external_key": "d-1"},
    "leads": {"external_key": "l-1", "partner_key": "gstest", "status": "open", "meta": {}},
    "partnerships": {"email": "p@partner.example"},
    "rewards": {"amount": 1, "description": "Bonus", "target_type": "customer", "target_key": "c-0"},
    "actions": {"type": "met", "value": 1, "target_type": "customer", "target_key": "c-0"},
    "webhooks": {"target_url": "https://site.example/", "events": ["lead.created"]},
}


def nullable(resource: str, verb: str) -> list[str]:
    """The arguments of a verb that the client sends as null when they are None."""
    module = importlib.import_module(f"django_partnerstack.client.resources.{resource}")
    taken = inspect.signature(getattr(getattr(module, resource.capitalize()), verb)).parameters
    found = []
    for name, check in module.CHECKS.items():
        try:
            is_nullable = name in taken and check(name, None) is None
        except InvalidArgument:
            continue
        found += [name] if is_nullable else []
    return found


CASES = [
    (resource, verb, name)
    for resource in RESOURCES
    for verb in ("create", "update")
    if resource not in ("transactions", "rewards", "actions") or verb == "create"
    for name in nullable(resource, verb)
]


@pytest.fixture
def client(clock):
    sandbox = Sandbox(clock=clock)
    session = requests.Session()
    session.mount("https://", SandboxAdapter(sandbox))
    with Client(*TEST_KEYS, session=session) as client:
        client.customers.create(customer_key="c-0", email="c0@site.example", partner_key="gstest")
        yield client


def test_there_are_fields_to_try():
    assert len(CASES) > 30
    assert {resource for resource, _, _ in CASES} >= {
        "customers",
        "transactions",
        "deals",
        "leads",
        "actions",
    }


@pytest.mark.parametrize(("resource", "verb", "name"), CASES)
def test_the_sandbox_takes_null_where_the_client_may_send_it(client, resource, verb, name):
    verbs = getattr(client, resource)
    if verb == "create":
        record = verbs.create(**VALID[resource] | {name: None})
    else:
        record = verbs.update(verbs.create(**VALID[resource]).key, **{name: None})
    assert not record.raw.get(name)


def test_the_longest_texts_that_the_client_may_send(client):
    reward = client.rewards.create(**VALID["rewards"] | {"description": "d" * 10_000})
    assert len(reward.raw["description"]) == 10_000
    client.customers.create(**VALID["customers"] | {"name": "n" * 100, "customer_key": "k" * 255})
    client.transactions.create(**VALID["transactions"] | {"metadata": {"n" * 30: "v" * 100, "seats": 3}})
    client.partnerships.create(email="p@partner.example", first_name="n" * 50, last_name="n" * 50)
