"""Looking again at a customer that was recorded as organic."""

from __future__ import annotations

from django.db import router

from ..models import OutboxMessage, State
from .operations import CREATE_CUSTOMER, SAVE_CUSTOMER


def reconsider(customer_key: str, *, mode: str, using: str | None = None) -> bool:
    """
    Take an organic customer in once more, now that more is known of who sent it. Returns whether it was.

    Nothing happens to a customer that PartnerStack knows. Safe to repeat.
    """
    messages = OutboxMessage.objects.using(using or router.db_for_write(OutboxMessage))
    organic = messages.filter(
        mode=mode, subject=customer_key, operation__in=CREATE_CUSTOMER, state=State.ORGANIC
    )
    last = organic.order_by("-pk").values_list("pk", flat=True).first()
    changes = {"operation": SAVE_CUSTOMER, "state": State.NEW, "rank": 1, "reason": ""}
    return bool(organic.filter(pk=last).update(**changes))
