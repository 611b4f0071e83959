"""Webhooks: something happens in the sandbox, and the site's own URL is told."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from django.test import Client as Browser

from django_partnerstack.conf import conf
from django_partnerstack.models import WebhookEvent
from django_partnerstack.sandbox import Sandbox
from django_partnerstack.sandbox.webhooks.bodies import body
from django_partnerstack.webhooks.endpoints import path_of_secret
from django_partnerstack.webhooks.normalise import EVENTS, RESOURCE_OF, normalise

#: What a test names an object by; other objects have only PartnerStack's own keys.
OWN_KEYS = {"partnerships": "partner_key", "customers": "customer_key"}


def happen(sandbox: Sandbox, event: str, key: str, fields: Mapping[str, Any]) -> dict[str, Any]:
    """Create, change or remove an object of the sandbox. Returns the body of the webhook about it."""
    kind, _, verb = event.partition(".")
    if kind not in RESOURCE_OF or not verb:
        raise ValueError(f"There is no event {event!r}. Known: {', '.join(EVENTS)}.")
    resource = RESOURCE_OF[kind]
    item = _changed(sandbox, resource, key, fields)
    if verb == "deleted":
        sandbox.remove(resource, item["key"])
    if kind == "application":
        item = {"partnership_key": item["key"], "partner_key": item["partner_key"]}
    elif kind == "agreement":
        item = {"team_member": {"email": item["email"]}, "team": {"key": item["key"]}}
    test = sandbox.mode == "test"
    if kind in ("application", "agreement"):
        return {"event": event, "data": item, "test": test}
    return body(event, resource, item, test=test, behaviour=sandbox.behaviour)


def _changed(sandbox: Sandbox, resource: str, key: str, fields: Mapping[str, Any]) -> dict[str, Any]:
    own = OWN_KEYS.get(resource, "key")
    objects = sandbox.objects(resource, include_archived=True)
    if own != "key" and not any(key in (each["key"], each[own]) for each in objects):
        return sandbox.create(resource, **{own: key, **fields})
    return sandbox.change(resource, key, **fields)


def post(content: Mapping[str, Any], event: str) -> WebhookEvent:
    """Deliver to the site's URL within this process, through all middleware. Returns the stored event."""
    path = path_of_secret(conf.usable_webhook_secrets[0])
    browser = Browser(enforce_csrf_checks=True)
    response = browser.post(path, json.dumps(content), content_type="application/json", secure=True)
    if response.status_code != 200:
        raise AssertionError(
            f"The site answered {response.status_code} to the webhook {event}, and should have answered 200."
        )
    name = normalise(dict(content)).name
    return WebhookEvent.objects.filter(event=name).latest("last_received_at", "pk")
