"""A new resource needs one declaration: everything here follows from it."""

import pytest
from django.core.management import CommandError, call_command

from django_partnerstack.management.commands.partnerstack_sandbox import Command
from django_partnerstack.sandbox import Sandbox
from django_partnerstack.sandbox.api.resource import Resource, equals
from django_partnerstack.sandbox.api.schema import text
from django_partnerstack.sandbox.resources import RESOURCES

from ..api_client import ApiClient

FIELDS = ("external_key", "title", "currency")
SCHEMA = {"type": ["object"], "properties": {name: text(20) for name in FIELDS}}
OFFERS = Resource(
    name="offers",
    key_prefix="offr_",
    render=lambda db, row, behaviour: {name: row.get(name) for name in FIELDS},
    seed_row=lambda db, number: {"title": f"Offer {number}", "currency": "USD" if number % 2 else "EUR"},
    command_count=5,
    readable=True,
    create=lambda call: dict(call.body),
    create_schema={**SCHEMA, "required": ["title"]},
    update=lambda call, row: dict(call.body),
    update_schema=SCHEMA,
    removable="delete",
    natural_key="external_key",
    lookup_fields=("external_key",),
    read_keys=lambda behaviour: ("key", "external_key"),
    filters={"currency": equals("currency")},
    has_total=True,
)


@pytest.fixture(autouse=True)
def declared():
    RESOURCES["offers"] = OFFERS
    yield
    del RESOURCES["offers"]


@pytest.fixture
def sandbox(clock):
    return Sandbox(offers=25, clock=clock)


def test_it_is_seeded_by_count(sandbox):
    offers = sandbox.objects("offers")
    assert len(offers) == 25
    assert all(offer["key"].startswith("offr_") for offer in offers)
    assert sandbox.objects("offers", "production") == Sandbox().objects("offers") == []


def test_it_is_listed_page_by_page(sandbox, api):
    found, page = [], api.get("/offers")
    assert page["total"] == 25
    while page["has_more"]:
        found += page["items"]
        page = api.get("/offers", starting_after=found[-1]["key"])
    assert found + page["items"] == sandbox.objects("offers")


def test_it_is_filtered(api):
    assert {offer["currency"] for offer in api.items("/offers", currency="EUR", limit=250)} == {"EUR"}
    assert len(api.items("/offers", currency="EUR", limit=250)) == 13


def test_it_is_created_and_read_by_its_keys(sandbox, api):
    offer = api.post("/offers", title="Ten percent", external_key="ten")
    assert api.get("/offers/ten") == api.get(f"/offers/{offer['key']}") == offer
    assert api.refused("POST", "/offers", {"title": "Again", "external_key": "ten"})[0] == 409
    assert api.refused("POST", "/offers", {}) == (400, "'title' is a required property")
    assert api.refused("GET", "/offers/eleven") == (404, "Offer 'eleven' not found")
    assert sandbox.effects["test", "offers.create", "ten"] == 1


def test_it_is_changed_and_deleted(sandbox, api):
    api.post("/offers", title="Ten percent", external_key="ten")
    assert api.patch("/offers/ten", title="Tithe")["title"] == "Tithe"
    api("DELETE", "/offers/ten")
    assert api.get("/offers/ten")["archived"] is True
    assert len(api.items("/offers", limit=250)) == 25
    assert sandbox.effects["test", "offers.update", "ten"] == 1
    assert sandbox.effects["test", "offers.delete", "ten"] == 1


def test_it_is_shown_and_changed_at_the_control_endpoint(sandbox):
    control = ApiClient(sandbox, root="/_control/objects")
    offer = control("POST", "/offers", {"title": "Ten percent"})
    assert control("PATCH", f"/offers/{offer['key']}", {"title": "Tithe"})["title"] == "Tithe"
    assert len(control("GET", "/offers")) == 26
    assert control("POST", "/offers", {"price": 1})["message"].startswith("offers have no field 'price'")


def test_it_is_an_option_of_the_command():
    parser = Command().create_parser("manage.py", "partnerstack_sandbox")
    assert parser.parse_args([]).offers == 5
    assert parser.parse_args(["--offers", "7"]).offers == 7
    assert "Number of offers to create. Default: 5." in parser.format_help()
    with pytest.raises(CommandError, match="offers must be a number from 0 up, not -1"):
        call_command("partnerstack_sandbox", offers=-1)


def test_without_an_operation_there_is_no_route(sandbox, api):
    RESOURCES["offers"] = Resource(
        name="offers", key_prefix="offr_", render=OFFERS.render, seed_row=OFFERS.seed_row
    )
    key = api.items("/offers")[0]["key"]
    assert api.refused("POST", "/offers", {"title": "Ten percent"})[0] == 405
    assert {api.refused(method, f"/offers/{key}")[0] for method in ("GET", "PATCH", "DELETE")} == {404}
