"""Partner links: ``GET /l/PARTNER_KEY`` is a click, and leads to the vendor's page with the click's id."""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import parse_qs, unquote, urlsplit

from .collection import Row
from .headers import header
from .landing import landing
from .replies import Answer, Refusal
from .state import State
from .world import Click, World

ROOT = "/l"
SUB_ID = re.compile(r"sid\d*")


def answer(sandbox: State, method: str, path: str, query: str, headers: Mapping[str, str]) -> Answer:
    """
    Lead to the page in ``dest``, or to the sandbox's site.

    HEAD is a click as well, so that the id in its answer can be used.
    """
    if method not in ("GET", "HEAD"):
        raise Refusal(405, "Method not allowed", {"Allow": "GET, HEAD"})
    given = {name: values[0] for name, values in parse_qs(query, keep_blank_values=True).items()}
    sub_ids = {name: value for name, value in given.items() if SUB_ID.fullmatch(name)}
    try:
        click = record(sandbox, unquote(path[len(ROOT) :].strip("/")), given.get("dest"), sub_ids)
    except LookupError as error:
        raise Refusal(404, error.args[0]) from None
    except ValueError as error:
        raise Refusal(400, str(error)) from None
    address = landing(
        click.destination,
        click.partner_key,
        click.xid,
        host=_host(headers),
        query=query,
        utm=sandbox.behaviour.link_utm,
    )
    return 302, None, {"Location": address}


def record(sandbox: State, partner_key: str, destination: str | None, sub_ids: Mapping[str, str]) -> Click:
    """
    Remember a click, in the mode that the partner is of.

    Raises LookupError if there is no such partner, and ValueError for a page that links may not lead to.
    """
    world, partner = _find_partner(sandbox, partner_key)
    for name in sub_ids:
        if not SUB_ID.fullmatch(name):
            raise ValueError(f"A sub id is called sid or sid1, sid2, and so on, not {name!r}.")
    click = Click(
        xid=world.new_key(""),
        mode=world.mode,
        partner_key=partner_key,
        partnership_key=partner["key"],
        created_at=sandbox.call(world.mode).now,
        destination=sandbox.sites.destination(destination),
        sub_ids=dict(sub_ids),
    )
    world.clicks[click.xid] = click
    sandbox.clicks.append(click)
    return click


def _find_partner(sandbox: State, partner_key: str) -> tuple[World, Row]:
    """The partner, of the sandbox's own mode if both have one; archived partners have no links."""
    for world in sorted(sandbox.worlds.values(), key=lambda world: world.mode != sandbox.mode):
        row = world["partnerships"].find("partner_key", partner_key)
        if row is not None and not row.get("archived"):
            return world, row
    raise LookupError(f"There is no partner {partner_key!r}.")


def _host(headers: Mapping[str, str]) -> str:
    """The host that the request was sent to, without its port."""
    try:
        return urlsplit("//" + header(headers, "Host")).hostname or ""
    except ValueError:
        return ""
