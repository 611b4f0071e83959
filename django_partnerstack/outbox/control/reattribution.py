"""Change the attribution of a customer, as long as PartnerStack does not have the customer."""

from __future__ import annotations

from typing import Any

from django.db import router, transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from ...exceptions import InvalidTransition
from ...identity.references import Reference
from ...models import Attribution, Customer, LaneStatus, OutboxLane, OutboxMessage, State
from ...throttle.throttle import site_throttle
from ..operations import SAVE_CUSTOMER, creating_customers, customer_snapshots
from ..queue.messages import notify_workers
from ..queue.new_message import NewMessage, unsaved
from ..queue.reported_keys import source_of
from ..queue.sequencing.customer_creation import creation_of


def apply_late_attribution(customer_key: str, *, mode: str, using: str | None = None) -> bool:
    """
    Sequence an organic customer again, now that its click is known. Returns whether it did.

    Does nothing for a customer that PartnerStack has. A customer that a worker may be sequencing is sequenced
    again after the commit. Safe to repeat.
    """
    using = using or router.db_for_write(OutboxMessage)
    if _requeue_organic(customer_key, mode, using):
        return True
    new = OutboxMessage.objects.using(using).filter(mode=mode, subject=customer_key, operation=SAVE_CUSTOMER)
    if new.filter(state=State.QUEUED).exists():
        transaction.on_commit(lambda: _requeue_after_commit(customer_key, mode, using), using, robust=True)
    return False


def _requeue_after_commit(customer_key: str, mode: str, using: str) -> None:
    with site_throttle(mode).locked(durable=False):
        _requeue_organic(customer_key, mode, using)


def _requeue_organic(customer_key: str, mode: str, using: str) -> bool:
    # The lane of a customer who has a partner now can still contain earlier organic data.
    lanes = OutboxLane.objects.using(using).filter(mode=mode, key=OuterRef("lane"))
    has_partner = Exists(lanes.filter(status__in=(LaneStatus.OPEN, LaneStatus.BLOCKED)))
    organic = _creations(customer_key, mode, using).filter(~has_partner, state=State.ORGANIC)
    last = organic.order_by("-pk").first()
    changes = {"operation": SAVE_CUSTOMER, "state": State.QUEUED, "priority": 1, "reason": ""}
    if last is None or not organic.filter(pk=last.pk).update(**changes):
        return False
    notify_workers(last.lane, using)
    return True


def change_attribution(customer_key: str, *, mode: str) -> None:
    """
    Apply the current attribution to the message that creates a customer. Call it in a transaction.

    Queues a failed creation again. Does nothing if no message creates the customer, if an operator cancelled
    it, or if PartnerStack has the customer, under this partner. An organic customer is sequenced again, also
    if PartnerStack has it. Raises InvalidTransition if the creation is being sent or is unconfirmed.
    """
    # With the lock, because a worker that is sequencing the customer has read the old attribution.
    with site_throttle(mode).locked(durable=False):
        _change_attribution(customer_key, mode, router.db_for_write(OutboxMessage))


def _change_attribution(customer_key: str, mode: str, using: str) -> None:
    if _requeue_organic(customer_key, mode, using):
        return
    if Customer.objects.using(using).filter(mode=mode, customer_key=customer_key).exists():
        return
    creation = _creations(customer_key, mode, using).exclude(state=State.CANCELLED).order_by("-pk").first()
    if creation is None:
        return
    if creation.state == State.FAILED:
        _queue_again(creation, using)
        return
    unsent = OutboxMessage.objects.using(using).filter(
        pk=creation.pk, state__in=(State.SCHEDULED, State.ON_HOLD), in_doubt_since=None
    )
    # In a single statement, because a worker may be about to send it.
    if not unsent.update(**_attributed(creation, using)):
        raise InvalidTransition(
            f"PartnerStack may have {customer_key} already; try again when that is known."
        )


def _creations(customer_key: str, mode: str, using: str) -> QuerySet[OutboxMessage]:
    return OutboxMessage.objects.using(using).filter(
        mode=mode, subject=customer_key, operation__in=creating_customers()
    )


def _queue_again(failed: OutboxMessage, using: str) -> None:
    """Queue the customer's newest data again, unless they are queued already."""
    of_customer = OutboxMessage.objects.using(using).filter(mode=failed.mode, subject=failed.subject)
    snapshots = of_customer.filter(operation__in=customer_snapshots()).exclude(state=State.CANCELLED)
    newest = snapshots.latest("pk")
    if newest.state == State.QUEUED:
        return
    message = NewMessage(
        operation=SAVE_CUSTOMER,
        lane=newest.lane,
        subject=newest.subject,
        payload=newest.payload,
        source=source_of(vars(newest)),
        customer_source=Reference(newest.customer_source, newest.customer_source_pk),
    )
    unsaved(message, newest.mode, timezone.now()).save(using=using)
    notify_workers(newest.lane, using)


def _attributed(creation: OutboxMessage, using: str) -> dict[str, Any]:
    customers = Attribution.objects.using(using).of_customers(creation.mode, [creation.subject])
    found = creation_of(creation.payload, customers.get(creation.subject))
    return {"operation": found.operation, "attributed_to": found.attributed_to}
