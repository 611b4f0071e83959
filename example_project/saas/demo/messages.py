"""Push: every report reaches PartnerStack exactly once, even if a worker is killed while it sends."""

from __future__ import annotations

import os
import subprocess
from decimal import Decimal

from django_partnerstack.models import OutboxMessage, Partnership, State
from example_project.saas import billing
from example_project.saas.models import Payment

from .control import Control
from .output import Output, check, wait_until
from .site import running

#: Only delivery, and short time-outs, so that the lease of a killed worker expires soon.
SHORT_TIMEOUTS = {
    "PARTNERSTACK_SYNC_EVERY": "0",
    "PARTNERSTACK_CONNECT_TIMEOUT": "0.2",
    "PARTNERSTACK_READ_TIMEOUT": "1.2",
    "PARTNERSTACK_LOOKUP_GRACE": "5",
}
WORKER = ("partnerstack_worker",)


def queue(out: Output) -> Payment:
    """Returns the payment that is being sent when the worker is killed."""
    partner = Partnership.objects.filter(approved_status="approved").exclude(partner_key="gstest").first()
    check(partner, "the mirror contains no approved partner")
    out.step(f"A customer of {partner} signs up, pays $49 and $120, and gets $20 of the $120 back.")
    account = billing.sign_up(
        email="ada@example.com", password="never used", name="Ada Ltd", partner_key=partner.partner_key
    )
    first = billing.charge(account, Decimal("49.00"))
    billing.refund(billing.charge(account, Decimal("120.00")), Decimal("20.00"))
    check(OutboxMessage.objects.filter(state=State.QUEUED).count() == 5, "five messages should be queued")
    out.write(
        "Nothing is sent yet: five messages were queued in the same transactions as the site's own rows."
    )
    return first


def deliver(out: Output, partnerstack: Control, payment: Payment) -> None:
    out.step("A worker sends them, and is killed while it does.")
    worker = {**os.environ, **SHORT_TIMEOUTS}
    partnerstack.add_fault("latency", method="POST", path="/api/v2/transactions", times=1, seconds=30)
    out.write(f"$ manage.py {' '.join(WORKER)}")
    with running(*WORKER, env=worker, stdout=subprocess.DEVNULL) as process:
        wait_until(
            lambda: ("transactions.create", payment.key) in partnerstack.effects(),
            seconds=15,
            otherwise=f"{payment.key} did not reach PartnerStack",
        )
        process.kill()
    message = OutboxMessage.objects.get(subject=payment.key)
    check(message.state == State.SENDING, f"the worker was killed too late: {payment.key} is {message.state}")
    out.write(f"PartnerStack has {payment.key}, but answered slowly: the worker was killed (SIGKILL) before")
    out.write("it could save the answer. If the payment were sent again, the partner would be paid twice.")

    out.write(f"$ manage.py {' '.join(WORKER)}")
    out.write(
        f"Another worker waits until {message.lease_expires_at:%H:%M:%S} UTC, when the lease of the killed"
    )
    out.write(f"worker expires. Then it looks {payment.key} up before it sends anything …")
    with running(*WORKER, env=worker, stdout=subprocess.DEVNULL) as process:
        wait_until(everything_is_delivered, seconds=25, otherwise="not every message was delivered")
        process.terminate()
        check(process.wait() == 0, "the worker did not exit with status 0")
    message.refresh_from_db()
    out.write(f"{payment.key}: {message.reason}")


def everything_is_delivered() -> bool:
    return not OutboxMessage.objects.exclude(state=State.DELIVERED).exists()


def count(out: Output, partnerstack: Control) -> None:
    out.step("What PartnerStack carried out, by its own count.")
    effects = partnerstack.effects()
    for (verb, key), times in effects.items():
        out.write(f"{verb:21} {key:13} {times}")
    messages = OutboxMessage.objects.values_list("operation", "payload")
    expected = {(operation, payload.get("key") or payload["customer_key"]) for operation, payload in messages}
    check(
        effects.keys() == expected and set(effects.values()) == {1},
        "not every message had its effect exactly once",
    )
    out.write("Every message had its effect exactly once.")
