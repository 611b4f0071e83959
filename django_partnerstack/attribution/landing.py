"""
Which requests show that a visitor clicked a partner's link: navigations, and nothing else.

A page of another site can load any address of this site as an image, in a frame or ahead of time. Nobody
clicked a link then. Browsers say what a request is for in ``Sec-Fetch-Dest`` and ``Sec-Purpose``
(w3c.github.io/webappsec-fetch-metadata). Requests without these headers count as navigations.
"""

from __future__ import annotations

import re
from urllib.parse import unquote, urlsplit

from django.core.exceptions import SuspiciousOperation
from django.http import HttpRequest, QueryDict
from django.utils import timezone

from .parameters import CLICK_IDS, PARTNER_KEYS, Click, read

#: Most addresses contain none of these names, and are not parsed.
NAMES = re.compile("|".join((*CLICK_IDS, *PARTNER_KEYS)))
#: Longer addresses are not read. Servers accept about 8,000 characters.
MAX_ADDRESS_LENGTH = 16_000
#: The headers by which browsers mark a page that is loaded ahead of time. The last two are of older browsers.
PURPOSES = ("HTTP_SEC_PURPOSE", "HTTP_PURPOSE", "HTTP_X_MOZ")


def may_arrive(request: HttpRequest) -> bool:
    """Whether the request may show a click that is to be stored. Every request asks, so this is fast."""
    if request.method != "GET":
        return False
    meta = request.META
    return _mentions(f"{meta.get('QUERY_STRING', '')} {meta.get('HTTP_REFERER', '')}")


def clicked(request: HttpRequest) -> Click | None:
    """
    The click whose landing page this request is for, or None.

    Read from the request's address alone, with the current time.
    """
    if not _mentions(request.META.get("QUERY_STRING", "")) or not _is_navigation(request):
        return None
    try:
        return read(request.GET, at=timezone.now(), path=request.path)
    except (SuspiciousOperation, ValueError):
        # More parameters than Django accepts, or no text. The page itself may not read them.
        return None


def clicked_before(request: HttpRequest) -> Click | None:
    """
    The click whose landing page the visitor comes from, or None. Its time is not known.

    Read from the ``Referer``, which contains parameters only if the page before was one of the same host. The
    visitor may have given consent on that page, after it was served.
    """
    referer = request.META.get("HTTP_REFERER", "")
    if not _mentions(referer) or len(referer) > MAX_ADDRESS_LENGTH or not _is_navigation(request):
        return None
    try:
        address = urlsplit(referer)
        if address.netloc.lower() != request.get_host().lower():
            return None
        path = unquote(address.path)
        return read(QueryDict(address.query), at=timezone.now(), at_is_known=False, path=path)
    except (SuspiciousOperation, ValueError):
        # Not an address, the site does not serve this host, or more parameters than Django accepts.
        return None


def _mentions(address: str) -> bool:
    # Looking for the two beginnings is faster than looking for the names, and mostly enough.
    return ("ps_" in address or "gs" in address) and NAMES.search(address) is not None


def _is_navigation(request: HttpRequest) -> bool:
    """Whether the request opens a page for the visitor to see. The pages of this app are not such pages."""
    destination = request.META.get("HTTP_SEC_FETCH_DEST", "document")
    if destination.strip().lower() != "document":
        return False
    if any("prefetch" in request.META.get(name, "").lower() for name in PURPOSES):
        return False
    match = request.resolver_match
    return match is None or "partnerstack" not in match.app_names
