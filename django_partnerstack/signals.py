"""
Signals that this app sends, for the site to connect to.

Each is sent after the commit of what it reports, outside of a transaction, in the process that did the work:
the site's for ``message_queued``, a worker's or a sync's for the others. An error in a receiver is logged by
Django (logger ``django.dispatch``) and changes nothing else. A signal is sent at most once: a process that is
killed right after the commit sends none, so do not rely on signals for anything that must not be missed.
``webhook_processed`` is the exception: it is sent again until each receiver has returned.
"""

import logging
from typing import Any

from django.dispatch import Signal

logger = logging.getLogger("django.dispatch")


class RobustSignal(Signal):
    """Also logs an error in a receiver that has no name, such as a ``functools.partial`` or an object."""

    def _log_robust_failure(self, receiver: Any, error: Exception) -> None:
        # Django's own needs a name, and raises AttributeError to the sender without one.
        name = name_of(receiver)
        logger.error("Error calling %s in Signal.send_robust() (%s)", name, error, exc_info=error)


def name_of(receiver: Any) -> str:
    """``shop.receivers.receive``; what a receiver without a name shows of itself."""
    names = [getattr(receiver, name, "") for name in ("__module__", "__qualname__")]
    return ".".join(names) if all(names) else repr(receiver)


__all__ = [
    "customer_pushed",
    "event_pushed",
    "message_queued",
    "objects_synced",
    "push_failed",
    "transaction_pushed",
    "webhook_processed",
]

#: Sent for each stored page of a sync that created or updated rows.
#:
#: ``sender``: the mirror model (type[Model]). ``mode`` (str): "test" or "production". ``created`` and
#: ``updated`` (list[str]): PartnerStack's keys of these rows. ``unchanged`` (int): the page's other rows.
objects_synced = RobustSignal()

#: Sent for each queued message. This app's own receiver wakes a worker as ``PARTNERSTACK_DISPATCH`` says.
#:
#: ``sender``: OutboxMessage. ``lane`` (str): orders the messages of a customer, such as "customer:account-1".
message_queued = RobustSignal()

#: Sent after a customer was delivered: created, updated or found at PartnerStack.
#:
#: ``sender``: OutboxMessage. ``mode`` (str): "test" or "production". ``operation`` (str): such as
#: "customers.create". ``key`` (str): the customer key. ``message`` (int): the primary key of the message.
#: ``record`` (client.records.CustomerRecord): the customer as PartnerStack returned it.
customer_pushed = RobustSignal()

#: Sent after a transaction was delivered or deleted. As ``customer_pushed``, but ``key`` is the transaction
#: key that the site reported, also for the rest of a refunded payment. ``record`` is None after a deletion.
transaction_pushed = RobustSignal()

#: Sent after an event was delivered. As ``customer_pushed``, but ``key`` is the site's key of the event, or
#: empty, and ``record`` the action as PartnerStack returned it.
event_pushed = RobustSignal()

#: Sent when a message needs attention because its delivery failed or was put on hold.
#:
#: As ``customer_pushed``, without ``record``. ``state`` (str): the stored value of ``State.FAILED`` ("dead")
#: or of ``State.ON_HOLD`` ("held"). ``reason`` (str): why.
push_failed = RobustSignal()

#: Sent for each webhook event of PartnerStack, after its object was read again through the API and stored.
#:
#: ``sender``: WebhookEvent. ``event`` (str): its name, such as "partnership.updated", or "" if the body has
#: none. ``mode`` (str): "test" or "production". ``kind`` (str): such as "partnership", or "" for an unknown
#: event. ``key`` (str): the object's key in the body. ``row``: the row of the mirror as it is now, or None.
#:
#: Sent at least once: if a receiver raises an error, the signal is sent again later, to all receivers.
webhook_processed = RobustSignal()
