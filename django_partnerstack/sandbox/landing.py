"""
Where a partner link leads, and what the address of that page has on it.

The parameters are those of docs.partnerstack.com/docs/getting-integrated-with-s2s. The page's own come first,
then ``pscd`` and ``ps_partner_key``, then whatever the link was given, then the click's: the order in
which real landing pages get them.
"""

from __future__ import annotations

import base64
from collections.abc import Collection, Iterable
from ipaddress import ip_address
from urllib.parse import SplitResult, quote, unquote_plus, urlencode, urlsplit

#: Names that a partner link puts in the address itself, so that nothing else can.
OWN = ("pscd", "ps_partner_key", "ps_xid", "gsxid", "gspk")
#: What may stand in an address as it is.
SAFE = "!#$%&'()*+,/:;=?@[]~"


class Sites:
    """
    The pages that partner links may lead to: those of this machine, of ``site`` and of ``hosts``.

    No others, so that nobody can use a sandbox to send people elsewhere. Raises ValueError if one of the
    arguments cannot be used.
    """

    def __init__(self, site: str, hosts: Iterable[str] = ()) -> None:
        self.default = site
        self.hosts = {_host("site", site)}
        for host in hosts:
            if urlsplit(f"//{host}").hostname != host.lower():
                raise ValueError(f"sites must be hosts such as staging.example, not {host!r}.")
            self.hosts.add(host.lower())

    def destination(self, asked: str | None) -> str:
        """The page asked for, or the default. Raises ValueError if it is none of these pages."""
        if not asked:
            return self.default
        host = _host("dest", asked)
        if host not in self.hosts and not _is_loopback(host):
            raise ValueError(f"dest must be on this machine or one of the sandbox's sites, not on {host!r}.")
        return asked


def _host(name: str, url: str) -> str:
    # Browsers read a backslash as a slash, and urlsplit does not.
    odd = any(character <= " " or character in "\\\x7f" for character in url)
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018  raises if it is no number
    except ValueError:
        parts = SplitResult("", "", "", "", "")
    if odd or parts.scheme not in ("http", "https") or not parts.hostname or "@" in parts.netloc:
        raise ValueError(f"{name} must be an address such as http://127.0.0.1:8000/, not {url!r}.")
    return parts.hostname


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def landing(destination: str, partner_key: str, xid: str, *, host: str, query: str, utm: bool) -> str:
    """
    The whole address that a click leads to.

    ``host`` and ``query`` are those of the link. Without a host there is no ``pscd``; some vendors have none.
    """
    parts = urlsplit(destination)
    # Real ones have no padding.
    encoded = base64.b64encode(partner_key.encode()).decode().rstrip("=")
    pieces = [
        _without(OWN, parts.query),
        urlencode(_utm(partner_key)) if utm else "",
        urlencode({"pscd": host}) if host else "",
        urlencode({"ps_partner_key": encoded}),
        _without((*OWN, "dest"), query),
        urlencode({"ps_xid": xid, "gsxid": xid, "gspk": encoded}),
    ]
    whole = parts._replace(query="&".join(piece for piece in pieces if piece))
    return quote(whole.geturl(), safe=SAFE)


def _utm(partner_key: str) -> dict[str, str]:
    return {"utm_campaign": partner_key, "utm_medium": "partnerships", "utm_source": "partnerstack"}


def _without(names: Collection[str], query: str) -> str:
    """A query as it stands, less the parameters of these names."""
    pairs = query.split("&")
    return "&".join(pair for pair in pairs if unquote_plus(pair.partition("=")[0]) not in names)
