"""The pages that partner links may lead to."""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import ip_address
from urllib.parse import SplitResult, urlsplit


class AllowedSites:
    """
    The pages of this machine, of ``site`` and of ``hosts``.

    The sandbox redirects to no other page, so that nobody can use it as an open redirect. Raises ValueError
    for an invalid site or host.
    """

    def __init__(self, site: str, hosts: Iterable[str] = ()) -> None:
        self.default = site
        self.hosts = {_host("site", site)}
        for host in hosts:
            if urlsplit(f"//{host}").hostname != host.lower():
                raise ValueError(f"sites must be hosts such as staging.example, not {host!r}.")
            self.hosts.add(host.lower())

    def destination(self, requested: str | None) -> str:
        """The requested page, or ``site``. Raises ValueError if the page is not allowed."""
        if not requested:
            return self.default
        host = _host("dest", requested)
        if host not in self.hosts and not _is_loopback(host):
            raise ValueError(f"dest must be on this machine or one of the sandbox's sites, not on {host!r}.")
        return requested


def _host(name: str, url: str) -> str:
    # Browsers treat a backslash as a slash, and urlsplit does not.
    odd = any(character <= " " or character in "\\\x7f" for character in url)
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018  raises ValueError for an invalid port
    except ValueError:
        parts = SplitResult("", "", "", "", "")
    if odd or parts.scheme not in ("http", "https") or not parts.hostname or "@" in parts.netloc:
        raise ValueError(f"{name} must be a URL such as http://127.0.0.1:8000/, not {url!r}.")
    return parts.hostname


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
