"""Sample deliveries, to try a site's own URL as PartnerStack would use it."""

from __future__ import annotations

import http.client
import json
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from django.db import router
from django.test import Client as Browser
from django.views.decorators.debug import sensitive_variables

from ..conf import conf
from ..exceptions import EndpointError
from ..models import Mirror
from ..resources import RESOURCES
from .endpoints import UNCONFIGURED, path_of_secret, site_base
from .normalise import RESOURCE_OF, normalise

#: Seconds to wait for the site.
TIMEOUT = 30

#: Headers of deliveries that vendors have seen.
HEADERS = {"Content-Type": "application/json", "User-Agent": "python-requests/2.26.0"}


def sample(event: str, key: str, *, now: datetime) -> dict[str, Any]:
    """
    A delivery of this event about the object with this key.

    Without a key: about the object that changed last in the mirror, or about an invented object.
    """
    kind = normalise({"event": event}).kind
    if not kind:
        return {"event": event, "data": {"message": "Test event sent!"}}
    data = {"key": key or _newest_key(kind) or "Ex4mple0Object1", "updated_at": int(now.timestamp() * 1000)}
    return {"event": event, "data": data, "test": conf.mode == "test"}


def _newest_key(kind: str) -> str:
    model: type[Mirror] = RESOURCES[RESOURCE_OF[kind]].model
    rows = model._base_manager.using(router.db_for_write(model)).filter(mode=conf.mode, missing_since=None)
    return rows.order_by("-remote_updated_at", "-pk").values_list("key", flat=True).first() or ""


@sensitive_variables()
def post(delivery: dict[str, Any], site_url: str = "") -> int:
    """
    Deliver to this site, and return the status of its response.

    With ``site_url`` over the network, otherwise within this process, through all middleware. Raises
    ``EndpointError`` if there is no secret, no URL or no response.
    """
    if not conf.usable_webhook_secrets:
        raise EndpointError(UNCONFIGURED)
    path, body = path_of_secret(conf.usable_webhook_secrets[0]), json.dumps(delivery)
    if site_url:
        return _over_the_network(site_base(site_url), path, body)
    hosts = [host.lstrip(".") for host in conf.django.ALLOWED_HOSTS if "*" not in host]
    browser = Browser(
        enforce_csrf_checks=True, raise_request_exception=False, SERVER_NAME=(hosts or ["localhost"])[0]
    )
    response = browser.post(path, body, content_type="application/json", secure=True)
    status: int = response.status_code
    return status


@sensitive_variables()
def _over_the_network(base: str, path: str, body: str) -> int:
    parts, problem = urlsplit(base), ""
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(parts.netloc, timeout=TIMEOUT)
    try:
        connection.request("POST", path, body, HEADERS)
        return connection.getresponse().status
    except (OSError, http.client.HTTPException) as error:
        problem = conf.without_keys(f"{base} did not respond: {error}")
    finally:
        connection.close()
    raise EndpointError(problem)
