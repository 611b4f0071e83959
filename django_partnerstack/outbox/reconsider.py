"""Looking again at who sent a customer that PartnerStack has not been told of."""

from __future__ import annotations

from typing import Any

from django.db import router, transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from ..models import Attribution, OutboxLane, OutboxMessage, Standing, State
from .credit import credit
from .enqueue import Draft, message_from, tell_workers
from .operations import CREATE_CUSTOMER, CUSTOMER_SNAPSHOTS, SAVE_CUSTOMER
from .operators import NotPossible
from .push import site_line


def reconsider(customer_key: str, *, mode: str, using: str | None = None) -> bool:
    """
    Take an organic customer in once more, now that more is known of who sent it. Returns whether it was.

    Nothing happens to a customer that PartnerStack knows. A worker that is taking it in at this very moment
    is waited for after the commit. Safe to repeat.
    """
    using = using or router.db_for_write(OutboxMessage)
    if _take_in_again(customer_key, mode, using):
        return True
    new = OutboxMessage.objects.using(using).filter(mode=mode, subject=customer_key, operation=SAVE_CUSTOMER)
    if new.filter(state=State.NEW).exists():
        transaction.on_commit(lambda: _behind_intake(customer_key, mode, using), using, robust=True)
    return False


def _behind_intake(customer_key: str, mode: str, using: str) -> None:
    with site_line(mode).locked(durable=False):
        _take_in_again(customer_key, mode, using)


def _take_in_again(customer_key: str, mode: str, using: str) -> bool:
    # Earlier organic data stay in the lane of a customer that has a partner since.
    lanes = OutboxLane.objects.using(using).filter(mode=mode, key=OuterRef("lane"))
    settled = Exists(lanes.filter(standing__in=(Standing.OPEN, Standing.BLOCKED)))
    organic = _creations(customer_key, mode, using).filter(~settled, state=State.ORGANIC)
    last = organic.order_by("-pk").first()
    changes = {"operation": SAVE_CUSTOMER, "state": State.NEW, "rank": 1, "reason": ""}
    if last is None or not organic.filter(pk=last.pk).update(**changes):
        return False
    tell_workers(last.lane, using)
    return True


def credit_anew(customer_key: str, *, mode: str) -> None:
    """
    Let what creates a customer follow what is now known of who sent it. Call it in a transaction.

    What was refused is queued once more. Nothing happens if nothing creates it yet, or a person has cancelled
    it. Raises NotPossible while it is being sent, or may have been carried out.
    """
    # A worker that is taking the customer in has read who sent it before.
    with site_line(mode).locked(durable=False):
        _credit_anew(customer_key, mode, router.db_for_write(OutboxMessage))


def _credit_anew(customer_key: str, mode: str, using: str) -> None:
    if _take_in_again(customer_key, mode, using):
        return
    creation = _creations(customer_key, mode, using).exclude(state=State.CANCELLED).order_by("-pk").first()
    if creation is None:
        return
    if creation.state == State.DEAD:
        _queue_again(creation, using)
        return
    unsent = OutboxMessage.objects.using(using).filter(
        pk=creation.pk, state__in=(State.READY, State.HELD), in_doubt_since=None
    )
    # In one statement, since a worker may be about to send it.
    if not unsent.update(**_credited(creation, using)):
        raise NotPossible(f"PartnerStack may have {customer_key} already; try again when that is known.")


def _creations(customer_key: str, mode: str, using: str) -> QuerySet[OutboxMessage]:
    return OutboxMessage.objects.using(using).filter(
        mode=mode, subject=customer_key, operation__in=CREATE_CUSTOMER
    )


def _queue_again(refused: OutboxMessage, using: str) -> None:
    """
    A copy takes the place of the refused message, as newer data do.

    It is of the newest data there are; if those are yet to be taken in, nothing else is needed.
    """
    of_customer = OutboxMessage.objects.using(using).filter(mode=refused.mode, subject=refused.subject)
    snapshots = of_customer.filter(operation__in=CUSTOMER_SNAPSHOTS).exclude(state=State.CANCELLED)
    newest = snapshots.latest("pk")
    if newest.state == State.NEW:
        return
    draft = Draft(
        operation=SAVE_CUSTOMER,
        lane=newest.lane,
        subject=newest.subject,
        payload=newest.payload,
        source=(newest.source, newest.source_pk),
        customer_source=(newest.customer_source, newest.customer_source_pk),
    )
    message_from(draft, newest.mode, timezone.now()).save(using=using)
    tell_workers(newest.lane, using)


def _credited(creation: OutboxMessage, using: str) -> dict[str, Any]:
    customers = Attribution.objects.using(using).of_customers(creation.mode, [creation.subject])
    found = credit(creation.payload, customers.get(creation.subject))
    return {"operation": found.operation, "credit": found.content}
