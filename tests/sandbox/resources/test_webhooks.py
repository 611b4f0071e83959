"""Documented: a subscription has a URL and events; sources disagree on the name of the URL."""

import pytest


@pytest.mark.parametrize("name", ["target_url", "target"])
def test_the_url_has_one_of_two_names(sandbox, api, name):
    sandbox.behaviour.webhook_url_field = name
    webhook = api.post("/webhooks", **{name: "https://site.example/hook/", "events": ["customer.created"]})
    assert webhook[name] == "https://site.example/hook/"
    other = {"target_url": "target", "target": "target_url"}[name]
    body = {other: "https://site.example/", "events": []}
    assert api.refused("POST", "/webhooks", body) == (400, f"'{name}' is a required property")


def test_a_subscription_is_listed_read_changed_and_archived(sandbox, api):
    key = api.post("/webhooks", target_url="https://site.example/", events=["lead.created"])["key"]
    assert api.keys("/webhooks") == [key]
    assert api.patch(f"/webhooks/{key}", events=["deal.created"])["events"] == ["deal.created"]
    assert api.get(f"/webhooks/{key}")["target_url"] == "https://site.example/"
    api("DELETE", f"/webhooks/{key}")
    assert api.keys("/webhooks") == []
    assert sandbox.effects["test", "webhooks.archive", key] == 1


def test_an_unknown_event_is_refused(sandbox, api):
    body = {"target_url": "https://site.example/", "events": ["customer.created", "customer.exploded"]}
    status, message = api.refused("POST", "/webhooks", body)
    assert status == 400
    assert message.startswith("'customer.exploded' is not one of ['agreement.accepted', ")
    key = api.post("/webhooks", **body | {"events": ["customer_created"]})["key"]
    assert api.refused("PATCH", f"/webhooks/{key}", {"events": ["reward.paid"]})[0] == 400


def test_the_known_events_can_be_chosen(sandbox, api):
    sandbox.behaviour.webhook_events = ("lead.created",)
    body = {"target_url": "https://site.example/", "events": ["customer.created"]}
    assert api.refused("POST", "/webhooks", body)[0] == 400
    assert api.post("/webhooks", **body | {"events": ["lead.created"]})
