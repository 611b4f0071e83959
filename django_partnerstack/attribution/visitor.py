"""The address of a visitor, as the site's own proxies report it."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from django.http import HttpRequest

from ..conf import conf

#: Networks of machines behind the same router, proxy or carrier. Their addresses say nothing about a visitor.
INTERNAL = tuple(
    map(
        ip_network,
        (
            "0.0.0.0/8",
            "10.0.0.0/8",
            "100.64.0.0/10",
            "127.0.0.0/8",
            "169.254.0.0/16",
            "172.16.0.0/12",
            "192.168.0.0/16",
            "::/127",
            "fc00::/7",
            "fe80::/10",
        ),
    )
)


def address_of(request: HttpRequest) -> str:
    """
    The visitor's IP address; "" if it is not known.

    With PARTNERSTACK_TRUSTED_PROXY_COUNT proxies it is read from ``X-Forwarded-For``: each proxy adds the
    address that called it, and what is further left can be invented by the visitor. An address of an internal
    network is not the visitor's.
    """
    address = _parse(_forwarded(request))
    if address is None or any(address in network for network in INTERNAL):
        return ""
    return str(address)


def _forwarded(request: HttpRequest) -> str:
    count = conf.trusted_proxy_count
    # A check reports other values. No address is better than the wrong one.
    if not isinstance(count, int | float) or count < 0:
        return ""
    if count == 0:
        return request.META.get("REMOTE_ADDR", "")
    addresses = request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")
    return addresses[-int(count)] if len(addresses) >= count >= 1 else ""


def _parse(text: str) -> IPv4Address | IPv6Address | None:
    """The address in a text that may also contain a port, as some proxies send it."""
    text = text.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ip_address(text)
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address
