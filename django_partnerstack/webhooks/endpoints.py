"""
This site's endpoint at PartnerStack: the URL that it delivers events to.

The URL contains a secret. Nothing here returns, prints or raises a text that contains one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import wraps
from typing import Any, TypeVar
from urllib.parse import urlsplit, urlunsplit

from django.urls import NoReverseMatch, reverse
from django.views.decorators.debug import sensitive_variables

from ..client import Client
from ..client.records import WebhookRecord
from ..conf import conf
from ..exceptions import EndpointError, PartnerStackError
from .normalise import EVENTS

F = TypeVar("F", bound=Callable[..., Any])

#: Stands for the secret in a URL, and has no characters that a URL encodes.
PLACEHOLDER = "partnerstack-secret-placeholder"

#: From this length on, a part of a path is treated as a secret. PartnerStack may have the endpoints of other
#: sites, whose secrets this site does not know.
LONGEST_PUBLIC_PART = 15

NO_URL = (
    "The URLs of this app are not included in the site's URLs. "
    'Add path("partnerstack/", include("django_partnerstack.urls")).'
)
UNCONFIGURED = (
    "PARTNERSTACK_WEBHOOK_SECRETS is empty. Set it to a list with a random string, such as: "
    'python -c "import secrets; print(secrets.token_urlsafe(32))"'
)


@dataclass(frozen=True)
class Endpoint:
    """An endpoint at PartnerStack. ``url`` is masked. ``is_own``: it contains a secret of this site."""

    key: str
    url: str
    events: tuple[str, ...]
    is_own: bool


@dataclass(frozen=True)
class Registered:
    """What ``register`` did: ``change`` is "created", "updated" or "unchanged". ``removed``: surplus keys."""

    endpoint: Endpoint
    change: str
    removed: tuple[str, ...]


def hides_secrets(function: F) -> F:
    """
    Raise every error of PartnerStack as an ``EndpointError`` without secrets.

    An error of PartnerStack may quote the URL, and the frames of its traceback contain it.
    """

    @wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        problem = ""
        try:
            return function(*args, **kwargs)
        except EndpointError as error:
            problem = str(error)
        except PartnerStackError as error:
            problem = conf.without_keys(str(error))
        # Outside of the except clause, so that the error has no context.
        raise EndpointError(problem)

    return call  # type: ignore[return-value]


def path_of_secret(secret: str = PLACEHOLDER) -> str:
    """The path of this site's URL. Raises ``EndpointError`` if the URLs are not included."""
    try:
        return reverse("partnerstack:webhook", args=[secret])
    except NoReverseMatch:
        pass
    raise EndpointError(NO_URL)


def masked(url: str) -> str:
    """A URL without what may be a secret: known secrets, long parts of the path, and the query."""
    try:
        parts = urlsplit(conf.without_keys(url))
    except ValueError:
        return "***"
    path = "/".join("***" if len(part) > LONGEST_PUBLIC_PART else part for part in parts.path.split("/"))
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit((parts.scheme, host, path, "***" if parts.query else "", ""))


@hides_secrets
def endpoints(client: Client) -> list[Endpoint]:
    """All endpoints that PartnerStack has. Raises ``EndpointError``."""
    return [_endpoint(record) for record in _records(client)]


@hides_secrets
@sensitive_variables()
def register(
    client: Client, site_url: str, *, events: Sequence[str] = EVENTS, url_field: str = "target_url"
) -> Registered:
    """
    Let PartnerStack deliver events to this site, at ``site_url`` with the path of this app.

    Finds the site's endpoint, whatever its secret, and gives it the first secret and these events; removes
    further endpoints of this site. ``url_field``: the name of the URL's field, see ``Client.webhooks``.

    Raises ``EndpointError``. Safe to repeat, also after an error.
    """
    url = site_base(site_url) + path_of_secret(_first_secret())
    before, _, after = (site_base(site_url) + path_of_secret()).partition(PLACEHOLDER)
    mine = re.compile(f"{re.escape(before)}[^/]+{re.escape(after)}?")
    own = [record for record in _records(client) if mine.fullmatch(record.target_url)]
    change, wanted = "unchanged", tuple(dict.fromkeys(events))
    if not own:
        change = "created"
        record = client.webhooks.create(target_url=url, events=wanted, url_field=url_field)
    else:
        record = next((each for each in own if each.target_url == url), own[0])
        if record.target_url != url or set(record.events) != set(wanted):
            change = "updated"
            record = client.webhooks.update(record.key, target_url=url, events=wanted, url_field=url_field)
    surplus = [each.key for each in own if each.key != record.key]
    for key in surplus:
        client.webhooks.archive(key)
    return Registered(_endpoint(record), change, tuple(surplus))


@hides_secrets
def remove(client: Client, keys: Iterable[str] = ()) -> list[Endpoint]:
    """
    Remove the endpoints with these keys, or without keys all that lead to this site with a valid secret.

    Returns those removed. Raises ``EndpointError``, also for an unknown key. Safe to repeat without keys.
    """
    present = {endpoint.key: endpoint for endpoint in map(_endpoint, _records(client))}
    wanted = list(keys) or [key for key, endpoint in present.items() if endpoint.is_own]
    unknown = [key for key in wanted if key not in present]
    if unknown:
        raise EndpointError(f"PartnerStack has no endpoint {', '.join(unknown)}.")
    for key in wanted:
        client.webhooks.archive(key)
    return [present[key] for key in wanted]


def _records(client: Client) -> Iterator[WebhookRecord]:
    return (record for record in client.webhooks.iterate() if not record.archived)


def _endpoint(record: WebhookRecord) -> Endpoint:
    return Endpoint(record.key, masked(record.target_url), record.events, is_own(record))


@sensitive_variables()
def is_own(record: WebhookRecord) -> bool:
    """Whether PartnerStack delivers to this site, with one of its secrets."""
    paths = tuple(path_of_secret(secret).rstrip("/") for secret in conf.usable_webhook_secrets)
    return not record.archived and record.target_url.rstrip("/").endswith(paths)


def _first_secret() -> str:
    if not conf.usable_webhook_secrets:
        raise EndpointError(UNCONFIGURED)
    return conf.usable_webhook_secrets[0]


def site_base(site_url: str) -> str:
    try:
        parts = urlsplit(site_url)
    except ValueError:
        parts = urlsplit("")
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        raise EndpointError("Give the URL of your site, such as https://www.example.com.")
    if parts.path.strip("/"):
        raise EndpointError("Give the URL of your site without a path, such as https://www.example.com.")
    return f"{parts.scheme}://{parts.netloc}"
