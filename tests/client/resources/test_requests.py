"""The request that each verb sends, and what it returns."""

import inspect
import json
from datetime import date, datetime, timezone

import pytest

from django_partnerstack.client import Client, CustomerRecord
from django_partnerstack.client.api import UNSET
from django_partnerstack.exceptions import InvalidArgument, UnusableReply

from ..conftest import API, PUBLIC, SECRET, TOKEN, envelope, listing

ITEM = {"key": "x_1"}

#: Resource, verb, arguments; method and path of the request, and its body.
CALLS = [
    ("partnerships", "get", ["john smith"], {}, "GET", "/partnerships/john%20smith", None),
    (
        "partnerships",
        "create",
        [],
        {"email": "a@example.com"},
        "POST",
        "/partnerships",
        {"email": "a@example.com"},
    ),
    (
        "partnerships",
        "update",
        ["part_1"],
        {"tier_key": "t"},
        "PATCH",
        "/partnerships/part_1",
        {"tier_key": "t"},
    ),
    ("partnerships", "archive", ["part_1"], {}, "DELETE", "/partnerships/part_1", None),
    ("customers", "get", ["a/b"], {}, "GET", "/customers/a%2Fb", None),
    (
        "customers",
        "create",
        [],
        {"customer_key": "acme", "email": "a@example.com", "partner_key": "john", "meta": {"plan": "pro"}},
        "POST",
        "/customers",
        {"customer_key": "acme", "email": "a@example.com", "partner_key": "john", "meta": {"plan": "pro"}},
    ),
    (
        "customers",
        "create",
        [],
        {"customer_key": None, "email": "a@example.com", "partner_key": "john"},
        "POST",
        "/customers",
        {"customer_key": None, "email": "a@example.com", "partner_key": "john"},
    ),
    (
        "customers",
        "update",
        ["acme"],
        {"customer_key": "acme-2", "provider_key": None},
        "PATCH",
        "/customers/acme",
        {"customer_key": "acme-2", "provider_key": None},
    ),
    ("customers", "delete", ["acme"], {}, "DELETE", "/customers/acme", None),
    (
        "transactions",
        "create",
        [],
        {
            "key": "inv_1",
            "amount": -4900,
            "currency": "usd",
            "customer_external_key": "acme",
            "created_at": datetime(1970, 1, 1, 0, 0, 1, tzinfo=timezone.utc),
            "metadata": {"plan": "pro"},
            "test": True,
        },
        "POST",
        "/transactions",
        {
            "key": "inv_1",
            "amount": -4900,
            "currency": "USD",
            "customer_external_key": "acme",
            "created_at": 1000,
            "metadata": {"plan": "pro"},
            "test": True,
        },
    ),
    ("transactions", "delete", ["inv 1/2"], {}, "DELETE", "/transactions/inv%201%2F2", None),
    ("deals", "get", ["deal_1"], {}, "GET", "/deals/deal_1", None),
    (
        "deals",
        "create",
        [],
        {"partner_key": "john", "amount": 100, "close_date": date(2025, 12, 31)},
        "POST",
        "/deals",
        {"partner_key": "john", "source": "partner", "amount": 100, "close_date": "2025-12-31"},
    ),
    (
        "deals",
        "create",
        [],
        {"group_key": "grup_1"},
        "POST",
        "/deals",
        {"group_key": "grup_1", "source": "vendor"},
    ),
    ("deals", "update", ["deal_1"], {"stage": "won"}, "PATCH", "/deals/deal_1", {"stage": "won"}),
    ("deals", "archive", ["deal_1"], {}, "DELETE", "/deals/deal_1", None),
    (
        "deals",
        "convert",
        ["deal_1"],
        {"email": "a@example.com", "customer_key": "acme"},
        "POST",
        "/deals/deal_1/convert",
        {"email": "a@example.com", "customer_key": "acme"},
    ),
    ("leads", "get", ["lead_1"], {}, "GET", "/leads/lead_1", None),
    (
        "leads",
        "create",
        [],
        {"external_key": "l1", "partner_key": "john", "status": "closed won", "approved": None},
        "POST",
        "/leads",
        {"external_key": "l1", "partner_key": "john", "status": "closed won", "approved": None},
    ),
    ("leads", "update", ["lead_1"], {"status": "dead"}, "PATCH", "/leads/lead_1", {"status": "dead"}),
    ("leads", "archive", ["lead_1"], {}, "DELETE", "/leads/lead_1", None),
    (
        "leads",
        "convert",
        ["lead_1"],
        {"email": "a@example.com"},
        "POST",
        "/leads/lead_1/convert",
        {"email": "a@example.com"},
    ),
    (
        "actions",
        "create",
        [],
        {"type": "demo_held", "value": 1, "target_type": "customer", "target_key": "acme"},
        "POST",
        "/actions",
        {"type": "demo_held", "value": 1, "target_type": "customer", "target_key": "acme"},
    ),
    ("actions", "archive", ["act_1"], {}, "DELETE", "/actions/act_1", None),
    (
        "rewards",
        "create",
        [],
        {"amount": 500, "description": "Thanks", "target_type": "manual", "target_key": "john"},
        "POST",
        "/rewards",
        {"amount": 500, "description": "Thanks", "target": {"type": "manual", "key": "john"}},
    ),
    ("webhooks", "get", ["w_1"], {}, "GET", "/webhooks/w_1", None),
    (
        "webhooks",
        "create",
        [],
        {"target_url": "https://example.com/", "events": ["customer.created"]},
        "POST",
        "/webhooks",
        {"target_url": "https://example.com/", "events": ["customer.created"]},
    ),
    (
        "webhooks",
        "create",
        [],
        {"target_url": "https://example.com/", "events": [], "url_field": "target"},
        "POST",
        "/webhooks",
        {"target": "https://example.com/", "events": []},
    ),
    ("webhooks", "update", ["w_1"], {"events": ["a"]}, "PATCH", "/webhooks/w_1", {"events": ["a"]}),
    ("webhooks", "archive", ["w_1"], {}, "DELETE", "/webhooks/w_1", None),
]


@pytest.mark.parametrize(("resource", "verb", "args", "fields", "method", "path", "body"), CALLS)
def test_a_verb_sends_one_request(client, api, resource, verb, args, fields, method, path, body):
    answer = {"message": "archived", "status": 200} if method == "DELETE" else envelope(ITEM)
    api.add(method, API + path, json=answer)
    found = getattr(getattr(client, resource), verb)(*args, **fields)
    assert api.calls[0].request.url == API + path
    assert (json.loads(api.calls[0].request.body) if body else api.calls[0].request.body) == body
    assert found is None if method == "DELETE" else found.key == "x_1"


WRITES = {(resource, verb): (args, fields) for resource, verb, args, fields, *_ in CALLS if fields}


@pytest.mark.parametrize(("resource", "verb"), WRITES)
def test_every_field_that_a_verb_accepts_is_checked(client, resource, verb):
    call = getattr(getattr(client, resource), verb)
    args, fields = WRITES[resource, verb]
    for name, parameter in inspect.signature(call).parameters.items():
        if parameter.default is UNSET:
            with pytest.raises(InvalidArgument, match=f"^{name} "):
                call(*args, **{**fields, name: object()})


def test_links_are_listed_by_partner(client, api):
    api.get(f"{API}/links/partnership/a%40b.c", json=listing({"key": "l_1", "url": "u", "dest": "d"}))
    assert [(link.url, link.dest) for link in client.links.iterate("a@b.c")] == [("u", "d")]
    assert client.links.list("a@b.c").records[0].key == "l_1"
    assert api.calls[0].request.params == {}


@pytest.mark.parametrize(
    "customer",
    [{}, {"customer_key": "cus_1", "customer_email": "a@example.com"}],
)
def test_a_transaction_without_exactly_one_customer_is_refused(client, customer):
    with pytest.raises(InvalidArgument, match="exactly one"):
        client.transactions.create(key="inv_1", amount=1, currency="USD", **customer)


def test_a_deal_of_a_partner_and_a_group_is_refused(client):
    with pytest.raises(InvalidArgument, match="exactly one"):
        client.deals.create(partner_key="john", group_key="grup_1")


def test_a_customer_cannot_be_moved_to_another_partner(client):
    with pytest.raises(TypeError, match="partner_key"):
        client.customers.update("acme", partner_key="john")


def test_converting_a_deal_returns_the_customer(client, api):
    api.post(f"{API}/deals/d/convert", json=envelope(ITEM))
    assert type(client.deals.convert("d", email="a@example.com")) is CustomerRecord


def test_two_routes_of_deals_are_outside_version_2(client, api):
    api.post("https://api.partnerstack.com/api/deals/d/assignment/part_1/stck_1", json={"status": 200})
    api.get(
        "https://api.partnerstack.com/api/deals/d/file/f", json=envelope({"url": "https://example.com/f"})
    )
    assert client.deals.assign("d", "part_1", "stck_1") is None
    assert client.deals.file_url("d", "f") == "https://example.com/f"


def test_the_files_of_a_deal_are_listed(client, api):
    api.get(f"{API}/deals/d/files", json=envelope({"deal_files": [{"key": "f"}]}))
    assert client.deals.files("d") == [{"key": "f"}]


@pytest.mark.parametrize("data", [None, [], {}, {"url": 5}])
def test_a_response_without_files_or_url_is_unusable(client, api, data):
    api.get(f"{API}/deals/d/files", json=envelope(data))
    api.get("https://api.partnerstack.com/api/deals/d/file/f", json=envelope(data))
    for call in (lambda: client.deals.files("d"), lambda: client.deals.file_url("d", "f")):
        with pytest.raises(UnusableReply):
            call()


@pytest.mark.parametrize("data", [None, [], "x"])
def test_a_write_without_an_object_in_its_response_is_in_doubt(client, api, data):
    api.post(f"{API}/partnerships", json=envelope(data))
    with pytest.raises(UnusableReply) as caught:
        client.partnerships.create(email="a@example.com")
    assert caught.value.in_doubt


def test_a_conversion_is_sent_to_its_own_host_with_its_own_token(client, api):
    api.post("https://partnerlinks.io/conversion/xid", body=b"")
    assert client.conversions.create(xid="abc", customer_key="acme", sub_ids=["s"]) is None
    request = api.calls[0].request
    assert request.headers["Authorization"] == f"Bearer {TOKEN}"
    assert json.loads(request.body) == {"xid": "abc", "customer_key": "acme", "sub_ids": ["s"]}


def test_a_conversion_needs_the_tracking_token():
    with pytest.raises(InvalidArgument, match="tracking_token"):
        Client(PUBLIC, SECRET).conversions.create(xid="abc", customer_key="acme")
