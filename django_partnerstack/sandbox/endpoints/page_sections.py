"""The sections of the sandbox's page, each a function that returns HTML."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from datetime import datetime, timezone
from html import escape
from typing import Any
from urllib.parse import quote

from ..behaviour.faults import KINDS
from ..behaviour.switch_texts import switches, written
from ..dashboard import Dashboard
from ..resources import RESOURCES
from .settings_block import settings_block

#: How many clicks, effects and objects a section shows, newest first.
MOST = 50
STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 70rem; padding: 0 1rem }
table { border-collapse: collapse } td, th { border-bottom: 1px solid #ccc; padding: .2rem .7rem;
text-align: left; vertical-align: top } pre { background: #f4f4f4; overflow: auto; padding: .8rem }
form { display: inline } .error { background: #fdd; padding: .5rem } .changed { background: #ffd }
summary { font-weight: bold }
"""
Options = dict[str, str]
Section = Callable[[Dashboard, str, str, Options], str]


def introduction(sandbox: Dashboard, mode: str, url: str, options: Options) -> str:
    """The mode, the settings of a site that uses it, and an error of the last form."""
    other = "production" if mode == "test" else "test"
    partner = sandbox.objects("partnerships", mode)[-1:]
    link = f"{url}/l/{quote(partner[0]['partner_key'], safe='')}" if partner else ""
    error = f"<p class=error>{escape(options['error'])}</p>" if "error" in options else ""
    return (
        f"{error}<p>This is {mode} mode. <a href='/?mode={other}'>Show {other} mode</a></p>"
        f"<h2>Settings of your site</h2><pre>{escape(settings_block(url, mode))}</pre>"
        + (f"<p>Link of a partner: <a href='{escape(link)}'>{escape(link)}</a></p>" if link else "")
        + _form("reset", "Start again", {})
    )


def objects(sandbox: Dashboard, mode: str, url: str, options: Options) -> str:
    """How many objects there are, and the newest of the resource that was asked for."""
    rows = [
        (_link(f"/?mode={mode}&resource={name}", name), len(sandbox.objects(name, mode)))
        for name in RESOURCES
    ]
    text = f"<h2>Objects</h2>{_table(('Resource', 'Objects'), rows)}"
    name = options.get("resource", "")
    if name in RESOURCES:
        shown = sandbox.objects(name, mode)[:MOST]
        text += f"<h3>Newest {name}</h3><pre>{escape(json.dumps(shown, indent=1, ensure_ascii=False))}</pre>"
    return text


def clicks(sandbox: Dashboard, mode: str, url: str, options: Options) -> str:
    found = [click for click in sandbox.clicks if click.mode == mode]
    rows = [
        (_time(click.created_at), escape(click.partner_key), escape(click.xid), escape(click.destination))
        for click in reversed(found[-MOST:])
    ]
    sent = [
        (_time(each.sent_at), escape(each.customer_key), escape(each.xid), "yes" if each.created else "no")
        for each in reversed(sandbox.conversions[-MOST:])
        if each.mode == mode
    ]
    return (
        f"<h2>Clicks</h2>{_table(('Time', 'Partner', 'Click ID', 'Page'), rows)}"
        + _form("click", "Click on the link of", {"partner_key": ""})
        + f"<h2>Conversions</h2>{_table(('Time', 'Customer', 'Click ID', 'Created a customer'), sent)}"
    )


def effects(sandbox: Dashboard, mode: str, url: str, options: Options) -> str:
    found = [(verb, key, count) for (kind, verb, key), count in sandbox.effects.items() if kind == mode]
    rows = [(escape(verb), escape(key), count) for verb, key, count in reversed(found[-MOST:])]
    table = _table(("Operation", "Key", "Times"), rows)
    return f"<h2>Effects</h2>{table}{_form('clear_effects', 'Forget all effects', {})}"


def webhooks(sandbox: Dashboard, mode: str, url: str, options: Options) -> str:
    """The subscriptions."""
    field = sandbox.behaviour.webhook_url_field
    rows = [
        (escape(row["key"]), escape(row[field]), escape(", ".join(row["events"])))
        for row in sandbox.objects("webhooks", mode)
    ]
    return f"<h2>Webhooks</h2>{_table(('Key', 'URL', 'Events'), rows)}"


def faults(sandbox: Dashboard, mode: str, url: str, options: Options) -> str:
    rows = [
        (
            escape(fault.kind),
            escape(fault.method or "any"),
            escape(fault.path or "any"),
            fault.times or "always",
        )
        for fault in sandbox.faults.active
        if fault.times != 0
    ]
    kinds = "".join(f"<li><b>{kind}</b>: {escape(text)}</li>" for kind, text in KINDS.items())
    names = ("kind", "method", "path", "times", "status", "seconds")
    return (
        f"<h2>Faults</h2>{_table(('Kind', 'Method', 'Path', 'Times'), rows)}"
        + _form("add_fault", "Add", dict.fromkeys(names, ""))
        + _form("clear_faults", "Remove all faults", {})
        + f"<details><summary>Kinds of faults</summary><ul>{kinds}</ul></details>"
    )


def behaviour(sandbox: Dashboard, mode: str, url: str, options: Options) -> str:
    """Every switch with its value, its description and a form."""
    rows = []
    for switch in switches():
        value = written(getattr(sandbox.behaviour, switch.name))
        mark = " class=changed" if value != switch.default else ""
        form = _form("set_switch", "Set", {"value": value}, hidden={"name": switch.name})
        text = f"{escape(switch.description)} <i>{escape(switch.choices)}</i>"
        rows.append((f"<code{mark}>{switch.name}</code>", form, text))
    return f"<h2>Switches</h2>{_table(('Switch', 'Value', 'Meaning'), rows)}"


SECTIONS: tuple[Section, ...] = (introduction, objects, clicks, effects, webhooks, faults, behaviour)


def _table(heads: Iterable[str], rows: Iterable[Iterable[Any]]) -> str:
    """A table of HTML cells."""
    body = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in rows)
    if not body:
        return "<p>None.</p>"
    return f"<table><tr>{''.join(f'<th>{head}</th>' for head in heads)}</tr>{body}</table>"


def _form(action: str, label: str, inputs: Options, hidden: Options | None = None) -> str:
    fields = "".join(
        f" <label>{name if name != 'value' else ''} <input name='{name}' value='{escape(value)}'></label>"
        for name, value in inputs.items()
    )
    kept = "".join(
        f"<input type=hidden name='{name}' value='{escape(value)}'>"
        for name, value in {"action": action, **(hidden or {})}.items()
    )
    return f"<form method=post>{kept}<button>{escape(label)}</button>{fields}</form> "


def _link(target: str, text: str) -> str:
    return f"<a href='{escape(target)}'>{escape(text)}</a>"


def _time(milliseconds: int) -> str:
    return f"{datetime.fromtimestamp(milliseconds / 1000, timezone.utc):%Y-%m-%d %H:%M:%S} UTC"
