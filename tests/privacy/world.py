"""A site with a customer whose personal data are everywhere, and a sandbox as its PartnerStack."""

from __future__ import annotations

import json
from collections.abc import Iterable
from threading import Event
from typing import Any

from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.models import User
from django.contrib.contenttypes.models import ContentType
from django.db import connection
from django.test import Client as Browser
from django.utils import timezone

from django_partnerstack import track
from django_partnerstack.models import (
    Attempt,
    Attribution,
    Customer,
    OutboxMessage,
    ReconciliationRun,
    SourceFailure,
    SyncState,
    WebhookEvent,
)
from django_partnerstack.outbox.backfill import Backfilled, backfill
from django_partnerstack.outbox.site_objects import reported_models
from django_partnerstack.resources import RESOURCES
from django_partnerstack.sync import pull
from django_partnerstack.webhooks.process import process_events
from tests.outbox.site import Site
from tests.shop.models import Account, Payment

EMAIL, NAME = "canary.ada@customers.example", "Canary Lovelace"
ADDRESS, BROWSER = "203.0.113.77", "CanaryBrowser/7.0"
PATH, NOTE = "/welcome/canary-landing", "canary-note of a payment"
CANARIES = (EMAIL, NAME, ADDRESS, BROWSER, PATH, "canary")

WEBHOOK_SECRET = "of-the-site-0123456789-0123456789-0123456789"
URL = f"/partnerstack/webhooks/{WEBHOOK_SECRET}/"

#: The site's own tables, which this app never touches.
OWN_TABLES = ("shop_account",)


class World(Site):
    def __init__(self, **behaviour: Any) -> None:
        super().__init__(**behaviour)
        self.bodies: list[bytes] = []
        self.sandbox.deliveries.send = self._receive
        self.sandbox.create("webhooks", target_url=f"http://127.0.0.1:8000{URL}", events=EVENTS)

    def _receive(self, url: str, content: bytes) -> int:
        self.bodies.append(content)
        return Browser().post(URL, content, content_type="application/json").status_code

    def deliver_webhooks(self) -> None:
        self.sandbox.deliveries.deliver_due()
        self.process_webhooks()

    def replay_webhooks(self) -> None:
        """Long after they were received first, so that each is a new event."""
        WebhookEvent.objects.all().delete()
        for body in list(self.bodies):
            Browser().post(URL, body, content_type="application/json")
        self.process_webhooks()

    def process_webhooks(self) -> None:
        for _ in range(50):
            ended = process_events(
                "test",
                client=self.worker.client,
                clock=self.clock,
                acquire_slot=lambda: None,
                stop=Event(),
            )
            if not ended:
                return
            self.clock.advance(minutes=2)

    def sync(self) -> None:
        for name in RESOURCES:
            pull(name, client=self.worker.client, mode="test", full=True, now=self.clock.now)

    def backfill(self) -> dict[str, Backfilled]:
        return {
            model._meta.label: backfill(model, mode="test", on_page=lambda done: None)
            for model in reported_models()
        }

    def settle(self) -> None:
        """Deliver everything, look-ups and retries included."""
        self.push_for(minutes=40, step=1)


EVENTS = [
    f"{kind}.{verb}"
    for kind in ("customer", "transaction", "reward", "deal", "lead")
    for verb in ("created", "updated", "deleted")
]


def ada(world: World, **fields: Any) -> Account:
    """A customer with two payments and an event, whose traces are in every table."""
    account = Account.objects.create(email=EMAIL, name=NAME, partner_key="gstest", **fields)
    key = track.customer_key(account)
    Attribution.objects.create(
        mode="test",
        customer_key=key,
        source="shop.account",
        source_pk=str(account.pk),
        method="link",
        partner_key="gstest",
        click_id="canary-click",
        landing_path=PATH,
        link_host="gst.partnerlinks.io",
        earlier_clicks=[{"partner_key": "gstest", "path": PATH, "at": ""}],
        visit={"ip_address": ADDRESS, "user_agent": BROWSER, "origin": "https://shop.example/"},
        reason=f"Followed from {EMAIL}.",
        bound_at=timezone.now(),
        clicked_at=timezone.now(),
    )
    Payment.objects.create(account=account, total="49.00")
    track.purchase(account, amount=1900, currency="USD", key="noted-1", metadata={"note": NOTE})
    track.event(account, "qualified_demo", key="demo-1")
    world.settle()
    world.sandbox.create("rewards")
    world.sandbox.create(
        "deals", account_name=NAME, contact_first_name=NAME, customer_key=key, partner_key="gstest"
    )
    # By the clock of this machine, which is behind that of the world.
    before = int(timezone.now().timestamp() * 1000) - 1000
    world.sandbox.create("leads", external_key=EMAIL, partner_key="gstest", created_at=before)
    world.deliver_webhooks()
    world.sync()
    _leave_traces(account, key)
    return account


def _leave_traces(account: Account, key: str) -> None:
    """What errors, operators and earlier settings may have left."""
    created = OutboxMessage.objects.filter(operation="customers.create", subject=key)
    created.update(
        attributed_to={"partner_key": "gstest", "ip_address": ADDRESS, "user_agent": BROWSER},
        reason=f"PartnerStack has {key} with another email: {EMAIL}.",
        note=f"{NAME} was shortened.",
    )
    for message in OutboxMessage.objects.filter(subject=key):
        Attempt.objects.create(
            message=message,
            mode="test",
            kind="send",
            number=1,
            started_at=timezone.now(),
            request_line=f"POST /customers/{EMAIL}",
            answer=json.dumps({"email": EMAIL, "name": NAME}),
            error=f"{EMAIL} is not known",
            outcome="delivered",
        )
    now = timezone.now()
    SourceFailure.objects.create(
        mode="test",
        source="shop.account",
        table="shop_account",
        source_pk=str(account.pk),
        operation="customers.save",
        error=f"ValueError: {NAME}",
        first_failed_at=now,
        last_failed_at=now,
    )
    SourceFailure.objects.create(
        mode="test",
        source="shop.payment",
        table="shop_payment",
        source_pk="77",
        operation="transactions.create",
        error=f"ValueError: {EMAIL}",
        first_failed_at=now,
        last_failed_at=now,
    )
    SyncState.objects.filter(resource="customers").update(error=f"The database refuses {EMAIL}.")
    ReconciliationRun.objects.create(
        mode="test", started_at=now, finished_at=now, result={"examples": [f"{EMAIL.upper()} is unknown."]}
    )
    customer = Customer.objects.get(customer_key=key)
    LogEntry.objects.create(
        user=User.objects.get_or_create(username="boss", is_staff=True, is_superuser=True)[0],
        content_type=ContentType.objects.get_for_model(Customer),
        object_id=str(customer.pk),
        object_repr=f"{key} {EMAIL}",
        action_flag=CHANGE,
        change_message=f"Called {NAME}.",
    )


def dump(*, without: Iterable[str] = OWN_TABLES) -> dict[str, str]:
    """All columns of all rows of all tables, as text, by table."""
    texts = {}
    with connection.cursor() as cursor:
        for table in sorted(set(connection.introspection.table_names(cursor)) - set(without)):
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")
            texts[table] = "\n".join(str(row) for row in cursor.fetchall())
    return texts


def leaks(texts: dict[str, str], *canaries: str) -> dict[str, list[str]]:
    """The places that show a canary, and which."""
    shown = {
        where: [each for each in canaries or CANARIES if each.lower() in text.lower()]
        for where, text in texts.items()
    }
    return {where: found for where, found in shown.items() if found}


def at_partnerstack(world: World, *resources: str) -> dict[str, str]:
    """What PartnerStack's API shows, archived objects included, and its page."""
    shown = {
        name: json.dumps(world.sandbox.objects(name, include_archived=True))
        for name in resources or RESOURCES
    }
    page = world.sandbox.handle("GET", "/", {})
    return {**shown, "page": page.body.decode()}
