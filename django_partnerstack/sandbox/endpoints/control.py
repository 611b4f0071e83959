"""
The sandbox's own endpoint: another process can do with it what a test does with the ``Sandbox`` object.

It takes and returns JSON, needs no keys and is never affected by faults:

    GET    /_control/behaviour                    every switch with its value
    PATCH  /_control/behaviour                    {"duplicates": "200", …}
    GET    /_control/faults                       the active faults
    POST   /_control/faults                       {"kind": "status", "status": 503, "times": 3}
    DELETE /_control/faults                       remove all faults
    GET    /_control/effects                      [{"mode", "verb", "key", "count"}, …]
    DELETE /_control/effects                      forget all effects
    GET    /_control/clicks                       [{"xid", "partner_key", …}, …], oldest first
    POST   /_control/clicks                       {"partner_key": "gstest", "sid1": "newsletter"}
    GET    /_control/conversions                  [{"customer_key", "created", …}, …], oldest first
    GET    /_control/deliveries                   [{"event", "webhook", "attempts", "status"}, …] of webhooks
    GET    /_control/objects/{resource}           all objects, newest first (?mode=, ?include_archived=true)
    POST   /_control/objects/{resource}           create an object; other fields get sample values (?mode=)
    PATCH  /_control/objects/{resource}/{key}     change fields, and updated_at (?mode=)
    DELETE /_control/objects/{resource}/{key}     remove it for good (?mode=)
    POST   /_control/reset                        start again

A wrong name gives 400, an unknown object 404, both with ``{"message": …}``.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any
from urllib.parse import parse_qs, unquote

from ..dashboard import Dashboard
from ..replies import Reply, json_reply
from .partner_links import record_click

ROOT = "/_control"
Body = dict[str, Any]


def answer(sandbox: Dashboard, method: str, path: str, query: str, body: bytes) -> Reply:
    name, *keys = [unquote(part) for part in path.removeprefix(ROOT).strip("/").split("/")]
    action = ACTIONS.get((method, name))
    if action is None:
        known = ", ".join(f"{method} {ROOT}/{name}" for method, name in ACTIONS)
        return json_reply(400, {"message": f"There is no {method} {path}. Known: {known}."})
    try:
        with sandbox.lock:
            given = json.loads(body) if body else {}
            if not isinstance(given, dict):
                raise ValueError("The body must be a JSON object.")
            options = {key: values[0] for key, values in parse_qs(query).items()}
            return json_reply(200, action(sandbox, keys, options, given))
    except LookupError as error:
        return json_reply(404, {"message": error.args[0]})
    except (ValueError, AttributeError, TypeError, RecursionError) as error:
        return json_reply(400, {"message": str(error)})


def show_behaviour(sandbox: Dashboard, keys: list[str], options: Body, body: Body) -> Body:
    return sandbox.behaviour.as_dict()


def change_behaviour(sandbox: Dashboard, keys: list[str], options: Body, body: Body) -> Body:
    sandbox.behaviour.change(**body)
    return sandbox.behaviour.as_dict()


def show_faults(sandbox: Dashboard, keys: list[str], options: Body, body: Body) -> list[Body]:
    return sandbox.faults.as_list()


def add_fault(sandbox: Dashboard, keys: list[str], options: Body, body: Body) -> list[Body]:
    kind = body.pop("kind", "")
    sandbox.faults.add(kind, **body)
    return sandbox.faults.as_list()


def clear_faults(sandbox: Dashboard, keys: list[str], options: Body, body: Body) -> list[Body]:
    sandbox.faults.clear()
    return []


def show_effects(sandbox: Dashboard, keys: list[str], options: Body, body: Body) -> list[Body]:
    return [
        {"mode": mode, "verb": operation, "key": key, "count": count}
        for (mode, operation, key), count in sandbox.effects.items()
    ]


def clear_effects(sandbox: Dashboard, keys: list[str], options: Body, body: Body) -> list[Body]:
    sandbox.effects.clear()
    return []


def show_clicks(sandbox: Dashboard, keys: list[str], options: Body, body: Body) -> list[Body]:
    return [asdict(click) for click in sandbox.clicks]


def add_click(sandbox: Dashboard, keys: list[str], options: Body, body: Body) -> Body:
    partner_key = str(body.pop("partner_key", ""))
    return asdict(record_click(sandbox, partner_key, body.pop("destination", None), body))


def show_conversions(sandbox: Dashboard, keys: list[str], options: Body, body: Body) -> list[Body]:
    return [asdict(conversion) for conversion in sandbox.conversions]


def show_deliveries(sandbox: Dashboard, keys: list[str], options: Body, body: Body) -> list[Body]:
    """Without URLs, which contain the secrets of sites."""
    shown = ("event", "webhook", "attempts", "status")
    deliveries = (*sandbox.deliveries.ended, *sandbox.deliveries.pending)
    return [{name: getattr(each, name) for name in shown} for each in deliveries]


def show_objects(sandbox: Dashboard, keys: list[str], options: Body, body: Body) -> list[Body]:
    archived = options.get("include_archived") == "true"
    return sandbox.objects(_resource(keys), options.get("mode"), include_archived=archived)


def create_object(sandbox: Dashboard, keys: list[str], options: Body, body: Body) -> Body:
    return sandbox.create(_resource(keys), mode=options.get("mode"), **body)


def change_object(sandbox: Dashboard, keys: list[str], options: Body, body: Body) -> Body:
    return sandbox.change(_resource(keys), _key(keys), mode=options.get("mode"), **body)


def remove_object(sandbox: Dashboard, keys: list[str], options: Body, body: Body) -> Body:
    sandbox.remove(_resource(keys), _key(keys), mode=options.get("mode"))
    return {}


def reset(sandbox: Dashboard, keys: list[str], options: Body, body: Body) -> Body:
    sandbox.reset()
    return {}


def _resource(keys: list[str]) -> str:
    if not keys:
        raise ValueError(f"The path must name a resource, such as {ROOT}/objects/customers.")
    return keys[0]


def _key(keys: list[str]) -> str:
    if len(keys) < 2:
        raise ValueError(f"The path must name an object, such as {ROOT}/objects/customers/KEY.")
    return keys[1]


ACTIONS = {
    ("GET", "behaviour"): show_behaviour,
    ("PATCH", "behaviour"): change_behaviour,
    ("GET", "faults"): show_faults,
    ("POST", "faults"): add_fault,
    ("DELETE", "faults"): clear_faults,
    ("GET", "effects"): show_effects,
    ("DELETE", "effects"): clear_effects,
    ("GET", "clicks"): show_clicks,
    ("POST", "clicks"): add_click,
    ("GET", "conversions"): show_conversions,
    ("GET", "deliveries"): show_deliveries,
    ("GET", "objects"): show_objects,
    ("POST", "objects"): create_object,
    ("PATCH", "objects"): change_object,
    ("DELETE", "objects"): remove_object,
    ("POST", "reset"): reset,
}
