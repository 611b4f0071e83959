"""
The sandbox's page at ``/``, for people: what it holds and what happened, with a form for everything that
``/_control/`` does. It needs no keys and is never affected by faults.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from urllib.parse import parse_qs, quote, urlencode, urlsplit

from ..behaviour.switch_texts import parsed
from ..dashboard import Dashboard
from ..http.authentication import header
from ..replies import Reply
from .page_sections import SECTIONS, STYLE
from .partner_links import record_click

PATH = "/"
HEADERS = {
    "Content-Type": "text/html; charset=utf-8",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'",
    "Cache-Control": "no-store",
}
Form = dict[str, str]


def answer(sandbox: Dashboard, method: str, query: str, headers: Mapping[str, str], body: bytes) -> Reply:
    options = {name: values[0] for name, values in parse_qs(query).items()}
    mode = options.get("mode", sandbox.mode)
    if mode not in sandbox.databases:
        return _page(400, "<p class=error>mode must be test or production.</p>")
    if method == "POST":
        return _submit(sandbox, mode, headers, body)
    if method not in ("GET", "HEAD"):
        return Reply(405, {"Allow": "GET, HEAD, POST"})
    url = f"http://{header(headers, 'Host') or '127.0.0.1'}"
    with sandbox.lock:
        return _page(200, "\n".join(show(sandbox, mode, url, options) for show in SECTIONS))


def _page(status: int, content: str) -> Reply:
    text = (
        f"<!doctype html>\n<html lang=en><head><meta charset=utf-8><title>PartnerStack sandbox</title>"
        f"<style>{STYLE}</style></head><body>\n<h1>PartnerStack sandbox</h1>\n{content}\n</body></html>\n"
    )
    return Reply(status, dict(HEADERS), text.encode("utf-8", "replace"))


def _submit(sandbox: Dashboard, mode: str, headers: Mapping[str, str], body: bytes) -> Reply:
    """Do what a form of the page says, and show the page again, with the error if there is one."""
    origin = header(headers, "Origin")
    if origin and urlsplit(origin).netloc != header(headers, "Host"):
        return _page(403, "<p class=error>Another site sent this form.</p>")
    form = {name: values[0] for name, values in parse_qs(body.decode("utf-8", "replace")).items()}
    options = {"mode": mode}
    try:
        action = ACTIONS.get(form.pop("action", ""))
        if action is None:
            raise ValueError(f"The form has no action. Known: {', '.join(ACTIONS)}.")
        with sandbox.lock:
            action(sandbox, form)
    except LookupError as error:
        options["error"] = str(error.args[0])
    except (ValueError, AttributeError, TypeError) as error:
        options["error"] = str(error)
    return Reply(303, {"Location": f"{PATH}?{urlencode(options, quote_via=quote)}"})


def set_switch(sandbox: Dashboard, form: Form) -> None:
    name = form.get("name", "")
    sandbox.behaviour.change(**{name: parsed(name, form.get("value", ""))})


def add_fault(sandbox: Dashboard, form: Form) -> None:
    numbers = {name: int(form[name]) for name in ("times", "status") if form.get(name)}
    texts = {name: form[name] for name in ("method", "path") if form.get(name)}
    seconds = {"seconds": float(form["seconds"])} if form.get("seconds") else {}
    sandbox.faults.add(form.get("kind", ""), **numbers, **texts, **seconds)


def clear_faults(sandbox: Dashboard, form: Form) -> None:
    sandbox.faults.clear()


def clear_effects(sandbox: Dashboard, form: Form) -> None:
    sandbox.effects.clear()


def click(sandbox: Dashboard, form: Form) -> None:
    record_click(sandbox, form.get("partner_key", ""), form.get("destination"), {})


def reset(sandbox: Dashboard, form: Form) -> None:
    sandbox.reset()


ACTIONS: dict[str, Callable[[Dashboard, Form], None]] = {
    "set_switch": set_switch,
    "add_fault": add_fault,
    "clear_faults": clear_faults,
    "clear_effects": clear_effects,
    "click": click,
    "reset": reset,
}
