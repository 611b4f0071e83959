"""What a deleted object of the site does, as PARTNERSTACK_ON_DELETE says."""

from __future__ import annotations

from django.db import models

from ..conf import conf
from ..identity.customers import database_of, identity_of
from ..identity.references import host_object, reference
from ..outbox.operations import ARCHIVE_CUSTOMER
from ..outbox.queue.messages import enqueue
from ..outbox.queue.new_message import NewMessage, customer_lane
from .forget import Erasure, forget


def forget_object(instance: models.Model, *, keep_payments: bool = False, dry_run: bool = False) -> Erasure:
    """Forget the customer that an object of the site is; see ``forget``. Reported before or not."""
    using = database_of(instance)
    identity = identity_of(instance, mode=conf.mode, using=using)
    return forget(
        identity.key,
        keep_payments=keep_payments,
        dry_run=dry_run,
        using=using,
        instance=instance,
        host=identity.host or host_object(instance),
    )


def archive_object(instance: models.Model) -> bool:
    """
    Let PartnerStack archive the customer that an object of the site is. Returns whether it was queued.

    A customer that was never reported is not archived. Safe to repeat.
    """
    using = database_of(instance)
    identity = identity_of(instance, mode=conf.mode, using=using)
    if not identity.recorded or identity.forgotten:
        return False
    message = NewMessage(
        operation=ARCHIVE_CUSTOMER,
        lane=customer_lane(identity.key),
        subject=identity.key,
        payload={"customer_key": identity.key},
        source=reference(instance),
        customer_source=reference(instance),
    )
    return enqueue(message, mode=conf.mode, using=using, identity=identity)
