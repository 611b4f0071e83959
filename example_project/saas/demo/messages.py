"""Push: what the site tells PartnerStack, once each, though its worker is killed while it sends."""

from __future__ import annotations

import os
from decimal import Decimal

from django_partnerstack.models import OutboxMessage, Partnership, State
from example_project.saas import billing
from example_project.saas.models import Payment

from .control import Control
from .site import running
from .telling import Telling, must, wait_until

#: A worker that gives up early, so that the next one need not wait long until it may take over.
HASTY = {
    "PARTNERSTACK_CONNECT_TIMEOUT": "0.2",
    "PARTNERSTACK_READ_TIMEOUT": "1.2",
    "PARTNERSTACK_LOOKUP_GRACE": "5",
}
WORKER = ("partnerstack_push", "--loop")


def queue(tell: Telling) -> Payment:
    """Returns the first payment, the one that is to be in danger."""
    partner = Partnership.objects.filter(approved_status="approved").exclude(partner_key="gstest").first()
    must(partner, "there is no approved partner in the mirror")
    tell.step(f"A customer of {partner} signs up, pays 49 and 120 dollars, and gets 20 of the 120 back.")
    account = billing.sign_up(
        email="ada@example.com", password="never used", name="Ada Ltd", partner_key=partner.partner_key
    )
    first = billing.charge(account, Decimal("49.00"))
    billing.refund(billing.charge(account, Decimal("120.00")), Decimal("20.00"))
    must(OutboxMessage.objects.filter(state=State.QUEUED).count() == 5, "there are not five messages")
    tell.say("Nothing is sent yet: five messages were saved in the same transactions as the site's own rows.")
    return first


def deliver(tell: Telling, partnerstack: Control, payment: Payment) -> None:
    tell.step("A worker sends them, and is killed in the middle of it.")
    worker = {**os.environ, **HASTY}
    partnerstack.add_fault("latency", method="POST", path="/api/v2/transactions", times=1, seconds=30)
    tell.say(f"$ manage.py {' '.join(WORKER)}")
    with running(*WORKER, env=worker) as process:
        wait_until(
            lambda: ("transactions.create", payment.key) in partnerstack.effects(),
            seconds=15,
            otherwise=f"{payment.key} did not reach PartnerStack",
        )
        process.kill()
    message = OutboxMessage.objects.get(subject=payment.key)
    must(message.state == State.SENDING, f"the worker was killed too late, {payment.key} is {message.state}")
    tell.say(
        f"PartnerStack has {payment.key}, but its answer was slow: the worker is dead (SIGKILL) before it"
    )
    tell.say("came, and has written nothing down. Sending it again would pay the partner twice.")

    tell.say(f"$ manage.py {' '.join(WORKER)}")
    tell.say(
        f"Another worker. It leaves {payment.key} alone until {message.lease_expires_at:%H:%M:%S} UTC, when"
    )
    tell.say("the lease of the killed one expires, and then looks it up before it sends anything …")
    with running(*WORKER, env=worker) as process:
        wait_until(everything_is_delivered, seconds=25, otherwise="not every message was delivered")
        process.terminate()
        must(process.wait() == 0, "the worker did not end well")
    message.refresh_from_db()
    tell.say(f"{payment.key}: {message.reason}")


def everything_is_delivered() -> bool:
    return not OutboxMessage.objects.exclude(state=State.DELIVERED).exists()


def count(tell: Telling, partnerstack: Control) -> None:
    tell.step("What PartnerStack did, by its own count.")
    effects = partnerstack.effects()
    for (verb, key), times in effects.items():
        tell.say(f"{verb:21} {key:13} {times}")
    messages = OutboxMessage.objects.values_list("operation", "payload")
    wanted = {(operation, payload.get("key") or payload["customer_key"]) for operation, payload in messages}
    must(effects.keys() == wanted and set(effects.values()) == {1}, "not every message had its effect once")
    tell.say("Every message had its effect, and had it once.")
