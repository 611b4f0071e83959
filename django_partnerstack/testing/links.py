"""Addresses: where a partner's link leads, and which paths of the API a resource has."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import quote, urlencode, urlsplit

from django_partnerstack.resources import RESOURCES
from django_partnerstack.sandbox import Sandbox

#: The site as Django's test client calls it, and the host of partner links.
SITE, LINK_HOST = "http://testserver", "partnerlinks.io"


def landing(sandbox: Sandbox, partner_key: str, path: str, sub_ids: Mapping[str, str]) -> str:
    """Click on a partner's link; returns the path and the query that it leads to."""
    if not path.startswith("/"):
        raise ValueError(f"path must begin with a slash, not be {path!r}.")
    query = urlencode({"dest": SITE + path, **sub_ids})
    reply = sandbox.handle("GET", f"/l/{quote(partner_key, safe='')}?{query}", {"Host": LINK_HOST})
    if reply.status != 302:
        raise ValueError(f"The link of {partner_key!r} leads nowhere: {reply.body.decode()}")
    parts = urlsplit(reply.headers["Location"])
    return f"{parts.path}?{parts.query}"


def api_paths(resource: str) -> tuple[str, ...]:
    """What the paths of the requests about a resource begin with."""
    if resource == "everything":
        return ("/api",)
    if resource == "conversions":
        return ("/conversion/xid",)
    if resource not in RESOURCES:
        known = ", ".join((*RESOURCES, "conversions", "everything"))
        raise ValueError(f"There is no resource {resource!r}. Known: {known}.")
    # The routes of deals have no version.
    return (f"/api/v2/{resource}", *([f"/api/{resource}"] if resource == "deals" else []))
