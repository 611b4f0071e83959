"""
Whether PartnerStack delivers webhooks to this site, and whether its deliveries would arrive.

The site's URL is asked twice, and stores nothing: a GET with the secret, which only this app's view answers
with 405, and a POST with a wrong secret, which it answers with 404. Both come from this machine, not from the
internet.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from django.views.decorators.debug import sensitive_variables

from ...client.records import WebhookRecord
from ...client.sockets import new_session
from ...client.transport import causes
from ...client.validation import is_loopback
from ...conf import conf
from ...exceptions import EndpointError
from ...webhooks.endpoints import is_own, masked, path_of_secret
from ..findings import Finding, finding
from .answers import Answers, Watch
from .in_parallel import together
from .item import Item, found

#: Seconds for the site's answer.
SECONDS = 10.0

#: What a correct site answers to a GET with the secret, and to a POST with a wrong one.
EXPECTED = {"GET": 405, "POST": 404}

WRONG_SECRET = "not-the-secret-but-a-test-of-partnerstack-doctor"  # noqa: S105

#: What other answers mean.
MEANINGS = {
    301: "a redirect, which loses the delivery",
    302: "a redirect, which loses the delivery",
    307: "a redirect",
    308: "a redirect",
    401: "it asks for a password",
    403: "something in front of the view refuses it",
    404: "the site there does not have this URL, or not this secret",
}


def examine_webhooks(answers: Answers) -> Iterator[Item]:
    """One item without secrets; otherwise one for the registration and one for each URL."""
    page = answers.pages.get("webhooks")
    if not conf.usable_webhook_secrets:
        yield Item("Webhooks", "Not used: PARTNERSTACK_WEBHOOK_SECRETS is empty.", examined=False)
        return
    try:
        path_of_secret()
    except EndpointError:
        # A system check says so.
        yield Item("Webhooks", "This site has no URL for them.", examined=False)
        return
    if page is None:
        yield Item("Webhooks", "PartnerStack did not return its endpoints.", examined=False)
        return
    own = [record for record in page.records if is_own(record)]
    if not own:
        yield Item("Webhooks", findings=(finding("webhooks-unregistered"),))
        return
    events = len({event for record in own for event in record.events})
    yield Item("Webhooks", f"PartnerStack delivers {events} events to this site.")
    for record in own:
        yield _reach(record)


@sensitive_variables()
def _reach(record: WebhookRecord) -> Item:
    url, name = record.target_url, masked(record.target_url)
    wrong = url
    for secret in conf.usable_webhook_secrets:
        wrong = wrong.replace(secret, WRONG_SECRET)
    watch = Watch()
    answers = together(
        {"GET": partial(_status, "GET", url, watch), "POST": partial(_status, "POST", wrong, watch)},
        SECONDS + 3,
    )
    problem = next(
        (_problem(method, name, answers[method]) for method in EXPECTED if _is_wrong(method, answers)), None
    )
    findings = found(problem, _insecure(url, name), watch.expiring(urlsplit(url).hostname or ""))
    return Item(
        "Webhook URL", f"{name} answers, asked from this machine." if problem is None else name, findings
    )


def _is_wrong(method: str, answers: dict[str, Any]) -> bool:
    return bool(answers[method] != EXPECTED[method])


@sensitive_variables()
def _status(method: str, url: str, watch: Watch) -> int:
    with new_session(use_environment=True) as session:
        session.hooks["response"].append(watch)
        data = b"{}" if method == "POST" else None
        # Without the body, which may be of any size.
        with session.request(
            method, url, data=data, allow_redirects=False, stream=True, timeout=(SECONDS / 2, SECONDS)
        ) as response:
            return int(response.status_code)


def _problem(method: str, name: str, answer: Any) -> Finding:
    if isinstance(answer, int):
        meaning = MEANINGS.get(answer, "the site failed" if answer >= 500 else "not what this app answers")
        reason = f"{method} was answered with HTTP {answer}: {meaning}"
    else:
        innermost = list(causes(answer))[-1]
        reason = conf.without_keys(f"no answer ({type(innermost).__name__}: {innermost})")
    return finding("webhooks-unreachable", url=name, reason=reason)


def _insecure(url: str, name: str) -> Finding | None:
    parts = urlsplit(url)
    if parts.scheme == "https" or is_loopback(parts.hostname or ""):
        return None
    return finding("webhooks-insecure", url=name)
