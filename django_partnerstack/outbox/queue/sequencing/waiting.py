"""Messages that wait for their customer, or for a partner of their customer, and when they are released."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta

from django.db import router
from django.db.models import Exists, Min, OuterRef, QuerySet
from django.db.models.functions import Substr

from ....conf import conf
from ....models import Attribution, Customer, OutboxMessage, State
from ...operations import customer_snapshots
from ..lanes import BLOCKED_REASON, blocked_by, unblock
from ..messages import notify_workers
from ..new_message import CUSTOMER, customer_lane

TOO_OLD = "Queued too long before the customer had a partner."

#: The reason of a message whose customer is not known.
NOT_REPORTED = "The customer was not reported yet."

#: Customers whose waiting messages are queued again in one statement.
BATCH = 500


def release_lanes(lanes: Collection[str], *, mode: str, using: str, now: datetime) -> None:
    """
    Release the organic and waiting messages of customers who have a partner, except those that are too old.

    An organic message is too old if it was queued more than PARTNERSTACK_ATTRIBUTION_DAYS ago. A waiting
    message is too old if it was queued so long before its customer had the partner, however late the customer
    was reported. Dependents of a message in a blocking state stay blocked. Call it with the throttle row
    locked.
    """
    messages = OutboxMessage.objects.using(using).filter(mode=mode, lane__in=lanes)
    later = messages.exclude(operation__in=customer_snapshots())
    _mark_organic_if_waited_too_long(later.filter(state=State.WAITING), mode, using)
    organic = later.filter(state=State.ORGANIC)
    organic.filter(queued_at__lt=now - timedelta(days=conf.attribution_days)).update(reason=TOO_OLD)
    free = later.filter(state__in=(State.ORGANIC, State.WAITING))
    too_old = blocked_by(free.exclude(reason=TOO_OLD), {State.ORGANIC}, reason=TOO_OLD)
    free.filter(pk__in=list(too_old.values_list("pk", flat=True))).update(state=State.ORGANIC, reason=TOO_OLD)
    free.exclude(reason=TOO_OLD).update(state=State.BLOCKED, reason=BLOCKED_REASON)
    unblock(later)


def _mark_organic_if_waited_too_long(waiting: QuerySet[OutboxMessage], mode: str, using: str) -> None:
    """A partner that the site itself names has no date, so those customers have had it from the beginning."""
    first_queued = dict(waiting.order_by().values_list("lane").annotate(Min("queued_at")))
    if not first_queued:
        return
    keys = [lane.removeprefix(CUSTOMER) for lane in first_queued]
    for key, attribution in Attribution.objects.using(using).of_customers(mode, keys).items():
        since = attribution.bound_at - timedelta(days=conf.attribution_days)
        if first_queued[customer_lane(key)] < since:
            too_old = waiting.filter(lane=customer_lane(key), queued_at__lt=since)
            too_old.update(state=State.ORGANIC, reason=TOO_OLD)


def make_organic(lanes: Collection[str], *, mode: str, using: str) -> None:
    """The waiting messages of customers who were reported without a partner are organic."""
    waiting = OutboxMessage.objects.using(using).filter(mode=mode, lane__in=lanes, state=State.WAITING)
    waiting.update(state=State.ORGANIC, reason="")


def queue_waiting(mode: str, mirror_keys: Collection[str] | None = None) -> int:
    """
    Queue the messages again that wait for customers whom PartnerStack has, according to the mirror.

    ``mirror_keys``: only those of these rows of the mirror, by PartnerStack's keys. Returns how many
    customers had waiting messages; takes one query if none had. Safe to repeat: sequencing decides again.
    """
    using = router.db_for_write(OutboxMessage)
    waiting = OutboxMessage.objects.using(using).filter(mode=mode, state=State.WAITING)
    customers = Customer.objects.filter(mode=mode)
    if mirror_keys is not None:
        customers = customers.filter(key__in=mirror_keys)
    key = Substr(OuterRef("lane"), len(CUSTOMER) + 1)
    known = waiting.filter(Exists(customers.filter(customer_key=key)))
    lanes = sorted(set(known.values_list("lane", flat=True)))
    for start in range(0, len(lanes), BATCH):
        waiting.filter(lane__in=lanes[start : start + BATCH]).update(state=State.QUEUED, reason="")
    for lane in lanes:
        notify_workers(lane, using)
    return len(lanes)
