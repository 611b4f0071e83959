"""
The sandbox's own endpoint, so that another process can do what a test does with the object.

JSON in and out, no keys, never a fault:

    GET    /_control/behaviour                    every switch with its value
    PATCH  /_control/behaviour                    {"duplicates": "200", …}
    GET    /_control/faults                       what is on
    POST   /_control/faults                       {"kind": "status", "status": 503, "times": 3}
    DELETE /_control/faults                       all off
    GET    /_control/effects                      [{"mode", "verb", "key", "count"}, …]
    DELETE /_control/effects                      count from nought
    GET    /_control/clicks                       [{"xid", "partner_key", …}, …], oldest first
    POST   /_control/clicks                       {"partner_key": "gstest", "sid1": "newsletter"}
    GET    /_control/conversions                  [{"customer_key", "created", …}, …], oldest first
    GET    /_control/objects/{resource}           all objects, newest first (?mode=, ?include_archived=true)
    POST   /_control/objects/{resource}           make one; what is not given is made up (?mode=)
    PATCH  /_control/objects/{resource}/{key}     change fields, and updated_at (?mode=)
    DELETE /_control/objects/{resource}/{key}     let it vanish (?mode=)
    POST   /_control/reset                        begin again

A wrong name answers 400, an object that is not there 404, each with ``{"message": …}``.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any
from urllib.parse import parse_qs, unquote

from . import links, programme_side
from .replies import Reply, json_reply
from .state import State

ROOT = "/_control"
Body = dict[str, Any]


def answer(sandbox: State, method: str, path: str, query: str, body: bytes) -> Reply:
    name, *keys = [unquote(part) for part in path.removeprefix(ROOT).strip("/").split("/")]
    verb = VERBS.get((method, name))
    if verb is None:
        known = ", ".join(f"{method} {ROOT}/{name}" for method, name in VERBS)
        return json_reply(400, {"message": f"There is no {method} {path}. Known: {known}."})
    try:
        with sandbox.lock:
            given = json.loads(body) if body else {}
            if not isinstance(given, dict):
                raise ValueError("Send a JSON object.")
            options = {key: values[0] for key, values in parse_qs(query).items()}
            return json_reply(200, verb(sandbox, keys, options, given))
    except LookupError as error:
        return json_reply(404, {"message": error.args[0]})
    except (ValueError, AttributeError, TypeError) as error:
        return json_reply(400, {"message": str(error)})


def show_behaviour(sandbox: State, keys: list[str], options: Body, body: Body) -> Body:
    return sandbox.behaviour.as_dict()


def change_behaviour(sandbox: State, keys: list[str], options: Body, body: Body) -> Body:
    sandbox.behaviour.change(**body)
    return sandbox.behaviour.as_dict()


def show_faults(sandbox: State, keys: list[str], options: Body, body: Body) -> list[Body]:
    return sandbox.faults.as_list()


def add_fault(sandbox: State, keys: list[str], options: Body, body: Body) -> list[Body]:
    kind = body.pop("kind", "")
    sandbox.faults.add(kind, **body)
    return sandbox.faults.as_list()


def clear_faults(sandbox: State, keys: list[str], options: Body, body: Body) -> list[Body]:
    sandbox.faults.clear()
    return []


def show_effects(sandbox: State, keys: list[str], options: Body, body: Body) -> list[Body]:
    return [
        {"mode": mode, "verb": verb, "key": key, "count": count}
        for (mode, verb, key), count in sandbox.effects.items()
    ]


def clear_effects(sandbox: State, keys: list[str], options: Body, body: Body) -> list[Body]:
    sandbox.effects.clear()
    return []


def show_clicks(sandbox: State, keys: list[str], options: Body, body: Body) -> list[Body]:
    return [asdict(click) for click in sandbox.clicks]


def click(sandbox: State, keys: list[str], options: Body, body: Body) -> Body:
    partner_key = str(body.pop("partner_key", ""))
    return asdict(links.record(sandbox, partner_key, body.pop("destination", None), body))


def show_conversions(sandbox: State, keys: list[str], options: Body, body: Body) -> list[Body]:
    return [asdict(conversion) for conversion in sandbox.conversions]


def show_objects(sandbox: State, keys: list[str], options: Body, body: Body) -> list[Body]:
    archived = options.get("include_archived") == "true"
    return programme_side.objects(sandbox, _resource(keys), _mode(sandbox, options), archived)


def create_object(sandbox: State, keys: list[str], options: Body, body: Body) -> Body:
    return programme_side.create(sandbox, _resource(keys), _mode(sandbox, options), body)


def change_object(sandbox: State, keys: list[str], options: Body, body: Body) -> Body:
    return programme_side.change(sandbox, _resource(keys), _key(keys), _mode(sandbox, options), body)


def remove_object(sandbox: State, keys: list[str], options: Body, body: Body) -> Body:
    programme_side.remove(sandbox, _resource(keys), _key(keys), _mode(sandbox, options))
    return {}


def reset(sandbox: State, keys: list[str], options: Body, body: Body) -> Body:
    sandbox.reset()
    return {}


def _mode(sandbox: State, options: Body) -> str:
    return str(options.get("mode") or sandbox.mode)


def _resource(keys: list[str]) -> str:
    if not keys:
        raise ValueError(f"Say which resource: {ROOT}/objects/customers.")
    return keys[0]


def _key(keys: list[str]) -> str:
    if len(keys) < 2:
        raise ValueError(f"Say which object: {ROOT}/objects/{keys[0] if keys else 'customers'}/KEY.")
    return keys[1]


VERBS = {
    ("GET", "behaviour"): show_behaviour,
    ("PATCH", "behaviour"): change_behaviour,
    ("GET", "faults"): show_faults,
    ("POST", "faults"): add_fault,
    ("DELETE", "faults"): clear_faults,
    ("GET", "effects"): show_effects,
    ("DELETE", "effects"): clear_effects,
    ("GET", "clicks"): show_clicks,
    ("POST", "clicks"): click,
    ("GET", "conversions"): show_conversions,
    ("GET", "objects"): show_objects,
    ("POST", "objects"): create_object,
    ("PATCH", "objects"): change_object,
    ("DELETE", "objects"): remove_object,
    ("POST", "reset"): reset,
}
