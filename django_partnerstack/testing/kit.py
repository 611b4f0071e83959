"""The test kit: a sandbox instead of PartnerStack, and a worker that works when the test says so."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from types import TracebackType
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.http import HttpResponse
from django.test import Client as Browser
from django.test import override_settings

from django_partnerstack.attribution.installed import MIDDLEWARE, is_installed
from django_partnerstack.client import retry, sockets
from django_partnerstack.conf import Conf, conf
from django_partnerstack.models import WebhookEvent
from django_partnerstack.resources import RESOURCES
from django_partnerstack.sandbox import (
    PRODUCTION_KEYS,
    PRODUCTION_TRACKING_TOKEN,
    TEST_KEYS,
    TEST_TRACKING_TOKEN,
    Sandbox,
)

from . import events, links
from .adapter import SandboxAdapter
from .clock import MovedClock
from .explanation import explain
from .objects import RemoteObject
from .site_worker import SiteWorker

KEYS = {"test": TEST_KEYS, "production": PRODUCTION_KEYS}
TOKENS = {"test": TEST_TRACKING_TOKEN, "production": PRODUCTION_TRACKING_TOKEN}
#: The secret of the webhooks' URL, if the site has none.
WEBHOOK_SECRET = "only-for-tests-0123456789-0123456789"  # noqa: S105

NO_MIDDLEWARE = (
    f"{MIDDLEWARE} is not in MIDDLEWARE, so the site does not see that a visitor comes by a partner's link."
)


class PartnerStack:
    """
    A sandbox instead of PartnerStack, for the time of a ``with`` block. No socket, thread or sleep.

    The settings have the sandbox's keys and the site's own mode. Every request of this app is answered by the
    sandbox, in whichever thread it is sent. What the site queues is sent by ``deliver``, also within the
    transaction of a ``TestCase``, and not before.

    ``sandbox``: the sandbox itself, for its switches, faults and objects.
    """

    def __init__(self) -> None:
        self.clock = MovedClock()
        self._exit = ExitStack()

    def __enter__(self) -> PartnerStack:
        self.mode = conf.mode
        self.sandbox = Sandbox(
            mode=self.mode, clock=lambda: self.clock.now().timestamp(), site=f"{links.SITE}/"
        )
        self._adapter = SandboxAdapter(self.sandbox, sleep=self.clock.sleep)
        self._exit.enter_context(override_settings(**_settings(self.mode)))
        self._exit.enter_context(_instead_of_the_network(self._adapter, self.clock))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._exit.close()

    # What other people do.

    def partner(self, partner_key: str, /, **fields: Any) -> RemoteObject:
        """
        A partner of the programme, created unless it exists.

        ``fields``: of a partnership in the API, such as ``first_name``. Raises ValueError for unknown names.
        """
        if not any(each["partner_key"] == partner_key for each in self.partnerships):
            return RemoteObject(self.sandbox.create("partnerships", partner_key=partner_key, **fields))
        return RemoteObject(self.sandbox.change("partnerships", partner_key, **fields))

    def click(
        self, partner_key: str, client: Browser, path: str = "/", /, *, follow: bool = False, **sub_ids: str
    ) -> HttpResponse:
        """
        A visitor, who is ``client``, comes to ``path`` by the link of a partner. Returns the page.

        Creates the partner unless it exists. ``sub_ids``: ``sid1="newsletter"`` of the link.
        """
        if not is_installed():
            raise ImproperlyConfigured(NO_MIDDLEWARE)
        return client.get(self.landing(partner_key, path, **sub_ids), follow=follow)  # type: ignore[return-value]

    def landing(self, partner_key: str, path: str = "/", /, **sub_ids: str) -> str:
        """
        Where a new click on a partner's link leads: ``path`` with the parameters of the click.

        For other clients than Django's, such as a browser or ``AsyncClient``. Creates the partner unless it
        exists.
        """
        self.partner(partner_key)
        return links.landing(self.sandbox, partner_key, path, sub_ids)

    def webhook(self, event: str, key: str, /, **fields: Any) -> WebhookEvent:
        """
        Something happens at PartnerStack, which tells the site's URL; the worker processes it.

            partnerstack.webhook("partnership.updated", "ada", first_name="Ada")

        Changes the fields of the object with this key, or creates it, and removes it for ``….deleted``.
        Returns the event as the site has it then; its ``state`` and ``reason`` say how it ended.

        Raises ValueError for an unknown event or field, LookupError for an unknown object, and AssertionError
        unless the site accepts the webhook.
        """
        body = events.happen(self.sandbox, event, key, fields)
        stored = events.post(body, event)
        self._worker().process_webhooks()
        stored.refresh_from_db()
        return stored

    def fail(
        self, resource: str, fault: int | str = 503, /, *, times: int | None = 1, **details: Any
    ) -> None:
        """
        Let the next requests about a resource fail, such as ``fail("transactions", 503, times=2)``.

        ``resource``: such as "customers"; "conversions"; or "everything" of the API. ``fault``: a status, or
        a fault of the sandbox, such as "lost": carried out, without a response. ``times=None``: until
        ``recover``. ``details``: of the fault, such as ``method="POST"`` or ``retry_after=60``. Raises
        ValueError for unknown names.
        """
        kind, status = ("status", {"status": fault}) if isinstance(fault, int) else (fault, {})
        for path in links.api_paths(resource):
            self.sandbox.faults.add(kind, path=path, times=times, **status, **details)

    def recover(self) -> None:
        """End all faults."""
        self.sandbox.faults.clear()

    # What the site does.

    def travel(self, **span: float) -> None:
        """
        Let time pass, in which nothing works: ``travel(hours=1)``. The next ``deliver`` finds it late.

        The time of the sandbox and of ``deliver`` moves. ``timezone.now()`` in the site's own code does not.
        """
        self.clock.sleep(timedelta(**span).total_seconds())

    def deliver(self, **span: float) -> Counter[str]:
        """
        Send what is due, as a worker does. Returns the attempts by new state, such as ``{"delivered": 2}``.

        A failed attempt is due again later: ``deliver(minutes=5)`` also sends what becomes due in the next
        five minutes, and the time moves on. A conversion is confirmed at once if PartnerStack shows the
        customer.

        Raises RuntimeError within an atomic block of the test, because a transaction must send no request.
        """
        return self._worker().deliver(timedelta(**span))

    def sync(self, *resources: str) -> None:
        """Copy PartnerStack's objects to the mirrors: of all resources, or of those that are named."""
        self._worker().sync(*(resources or RESOURCES))

    def _worker(self) -> SiteWorker:
        return SiteWorker(self.mode, self.clock)

    # What PartnerStack has.

    def objects(self, resource: str, *, include_archived: bool = False) -> list[RemoteObject]:
        """
        The objects of a resource, oldest first. Each compares by the fields that a dict names.

        Raises ValueError for an unknown resource.
        """
        found = self.sandbox.objects(resource, include_archived=include_archived)
        return [RemoteObject(item) for item in reversed(found)]

    @property
    def partnerships(self) -> list[RemoteObject]:
        return self.objects("partnerships")

    @property
    def customers(self) -> list[RemoteObject]:
        return self.objects("customers")

    @property
    def transactions(self) -> list[RemoteObject]:
        return self.objects("transactions")

    @property
    def actions(self) -> list[RemoteObject]:
        return self.objects("actions")

    @property
    def rewards(self) -> list[RemoteObject]:
        return self.objects("rewards")

    @property
    def deals(self) -> list[RemoteObject]:
        return self.objects("deals")

    @property
    def leads(self) -> list[RemoteObject]:
        return self.objects("leads")

    @property
    def effects(self) -> Counter[str]:
        """How often the site's requests took effect, by operation: ``{"customers.create": 1}``."""
        effects: Counter[str] = Counter()
        for (_, operation, _), times in self.sandbox.effects.items():
            effects[operation] += times
        return effects

    def times(self, operation: str, key: str) -> int:
        """How often an operation took effect for a key: ``times("transactions.create", "inv_1") == 1``."""
        return self.sandbox.effects[self.mode, operation, key]

    @property
    def requests(self) -> list[str]:
        """The requests that this app has sent, such as ``"POST /customers"``."""
        return [
            f"{each.method} {each.path_url.partition('?')[0].removeprefix('/api/v2')}"
            for each in self._adapter.requests
        ]

    # Why.

    def explain(self) -> str:
        """What was queued, what became of it, and why it has not left. Failures of a test show it."""
        return "\n".join(explain(self.mode, self.clock.now()))

    def assert_all_delivered(self) -> None:
        """Raise AssertionError with the reasons if something that was queued has not reached PartnerStack."""
        waiting = self._worker().undelivered()
        if waiting:
            raise AssertionError(f"{len(waiting)} not delivered: {', '.join(waiting)}.\n{self.explain()}")


def _settings(mode: str) -> dict[str, Any]:
    """What the kit sets. A site without a tracking token has none in its tests either."""
    public, secret = KEYS[mode]
    return {
        "PARTNERSTACK_PUBLIC_KEY": public,
        "PARTNERSTACK_SECRET_KEY": secret,
        "PARTNERSTACK_TRACKING_TOKEN": TOKENS[mode] if conf.tracking_token else "",
        "PARTNERSTACK_API_URL": Conf.api_url.default,
        "PARTNERSTACK_CONVERSION_URL": Conf.conversion_url.default,
        "PARTNERSTACK_WEBHOOK_SECRETS": conf.usable_webhook_secrets or [WEBHOOK_SECRET],
        "PARTNERSTACK_PUSH_ENABLED": True,
        # Only ``deliver`` delivers: other ways need threads, which do not see the transaction of a test.
        "PARTNERSTACK_DISPATCH": "worker",
        "PARTNERSTACK_REQUESTS_PER_MINUTE": 6_000_000,
    }


@contextmanager
def _instead_of_the_network(adapter: SandboxAdapter, clock: MovedClock) -> Iterator[None]:
    before = sockets.substitute, retry.wait
    sockets.substitute, retry.wait = lambda url: adapter, clock.sleep
    try:
        yield
    finally:
        sockets.substitute, retry.wait = before
