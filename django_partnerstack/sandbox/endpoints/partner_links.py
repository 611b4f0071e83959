"""
Partner links: ``GET /l/PARTNER_KEY`` records a click and redirects to the vendor's page with the click ID.

The parameters are those of docs.partnerstack.com/docs/getting-integrated-with-s2s, in the order of real
landing pages: the page's own, ``pscd``, ``ps_partner_key``, those of the link, and those of the click.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Collection, Mapping
from urllib.parse import parse_qs, quote, unquote, unquote_plus, urlencode, urlsplit

from ..http.authentication import header
from ..replies import Answer, Refusal
from ..state import SandboxState
from ..storage.database import Click, Database
from ..storage.table import Row

ROOT = "/l"
SUB_ID = re.compile(r"sid\d*")
#: Parameters that only the partner link itself may set.
RESERVED = ("pscd", "ps_partner_key", "ps_xid", "gsxid", "gspk")
#: Characters that need no encoding in the URL.
SAFE = "!#$%&'()*+,/:;=?@[]~"


def answer(sandbox: SandboxState, method: str, path: str, query: str, headers: Mapping[str, str]) -> Answer:
    """
    Redirect to the page in ``dest``, or to the sandbox's site.

    HEAD records a click as well, because its response contains a click ID.
    """
    if method not in ("GET", "HEAD"):
        raise Refusal(405, "Method not allowed", {"Allow": "GET, HEAD"})
    given = {name: values[0] for name, values in parse_qs(query, keep_blank_values=True).items()}
    sub_ids = {name: value for name, value in given.items() if SUB_ID.fullmatch(name)}
    try:
        click = record_click(sandbox, unquote(path[len(ROOT) :].strip("/")), given.get("dest"), sub_ids)
    except LookupError as error:
        raise Refusal(404, error.args[0]) from None
    except ValueError as error:
        raise Refusal(400, str(error)) from None
    return 302, None, {"Location": _location(click, _host(headers), query, sandbox.behaviour.link_utm)}


def record_click(
    sandbox: SandboxState, partner_key: str, destination: str | None, sub_ids: Mapping[str, str]
) -> Click:
    """
    Record a click, in the mode of the partner.

    Raises LookupError for an unknown partner, and ValueError for a wrong sub ID or a page that partner links
    may not lead to.
    """
    db, partner = _find_partner(sandbox, partner_key)
    for name in sub_ids:
        if not SUB_ID.fullmatch(name):
            raise ValueError(f"Sub IDs are named sid, sid1, sid2, and so on, not {name!r}.")
    click = Click(
        xid=db.new_key(""),
        mode=db.mode,
        partner_key=partner_key,
        partnership_key=partner["key"],
        created_at=sandbox.call(db.mode).now,
        destination=sandbox.sites.destination(destination),
        sub_ids=dict(sub_ids),
    )
    db.clicks[click.xid] = click
    sandbox.clicks.append(click)
    return click


def _find_partner(sandbox: SandboxState, partner_key: str) -> tuple[Database, Row]:
    """The partner, in the sandbox's own mode if both modes have it. Archived partners have no links."""
    for db in sorted(sandbox.databases.values(), key=lambda db: db.mode != sandbox.mode):
        row = db["partnerships"].find("partner_key", partner_key)
        if row is not None and not row.get("archived"):
            return db, row
    raise LookupError(f"There is no partner {partner_key!r}.")


def _host(headers: Mapping[str, str]) -> str:
    """The host of the request, without its port."""
    try:
        return urlsplit("//" + header(headers, "Host")).hostname or ""
    except ValueError:
        return ""


def _location(click: Click, host: str, query: str, utm: bool) -> str:
    """The URL of the landing page. ``host`` and ``query`` are the link's; an empty host gives no ``pscd``."""
    parts = urlsplit(click.destination)
    # Real links have no padding.
    encoded = base64.b64encode(click.partner_key.encode()).decode().rstrip("=")
    pieces = [
        _without(RESERVED, parts.query),
        urlencode(_utm_parameters(click.partner_key)) if utm else "",
        urlencode({"pscd": host}) if host else "",
        urlencode({"ps_partner_key": encoded}),
        _without((*RESERVED, "dest"), query),
        urlencode({"ps_xid": click.xid, "gsxid": click.xid, "gspk": encoded}),
    ]
    url = parts._replace(query="&".join(piece for piece in pieces if piece))
    return quote(url.geturl(), safe=SAFE)


def _utm_parameters(partner_key: str) -> dict[str, str]:
    return {"utm_campaign": partner_key, "utm_medium": "partnerships", "utm_source": "partnerstack"}


def _without(names: Collection[str], query: str) -> str:
    """The query without the parameters of these names, otherwise unchanged."""
    pairs = query.split("&")
    return "&".join(pair for pair in pairs if unquote_plus(pair.partition("=")[0]) not in names)
