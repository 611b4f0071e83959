"""What forgetting a customer did, in sentences: for the command, the admin and a letter to the person."""

from __future__ import annotations

from collections.abc import Iterator

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from ..outbox.operations import ANONYMISE_CUSTOMER
from .forget import Erasure


def sentences(erasure: Erasure) -> list[str]:
    """What was done, what is still to happen, and what this app cannot do."""
    head = (
        _("Customer {key} ({mode} mode) would be forgotten.")
        if erasure.dry_run
        else _("Customer {key} ({mode} mode) is forgotten.")
    )
    return [
        head.format(key=erasure.customer_key, mode=erasure.mode),
        erased(erasure),
        *told(erasure),
        *remaining(erasure),
    ]


def erased(erasure: Erasure) -> str:
    counts = ", ".join(f"{name}: {number:,}" for name, number in erasure.erased.items())
    text = _("Rows to erase: {counts}.") if erasure.dry_run else _("Rows erased: {counts}.")
    return text.format(counts=counts or _("none"))


def told(erasure: Erasure) -> Iterator[str]:
    """What PartnerStack is told, and which messages are not sent any more."""
    first, cancelled = erasure.told.first, erasure.told.cancelled
    if erasure.conflict:
        yield _(
            "PartnerStack has somebody else under this key, with another address. It was told nothing; if it "
            "is the same person, change the customer in PartnerStack's dashboard."
        )
    elif ANONYMISE_CUSTOMER in erasure.told.queued:
        yield _("Queued for PartnerStack: the customer is anonymised, then archived.")
    elif erasure.told.nameless:
        yield _(
            "PartnerStack was told nothing: its own key of the customer is not known here, and the site's is "
            "an address. Run partnerstack_sync customers --full, then forget the customer again."
        )
    elif erasure.told.has:
        yield _("PartnerStack was told before.")
    else:
        yield _("PartnerStack never had the customer, so it is told nothing.")
    if first:
        yield ngettext(
            "{number} message without personal data is sent first.",
            "{number} messages without personal data are sent first.",
            first,
        ).format(number=first)
    if cancelled:
        yield ngettext(
            "{number} message that was not sent is cancelled.",
            "{number} messages that were not sent are cancelled.",
            cancelled,
        ).format(number=cancelled)


def remaining(erasure: Erasure) -> Iterator[str]:
    """What the law may require in addition."""
    if erasure.told.has or erasure.conflict:
        yield _(
            "PartnerStack keeps the customer, its payments with their metadata, its rewards, deals and "
            "leads, and its own logs. Ask PartnerStack to erase them if the law requires it."
        )
    yield _(
        "Not erased: your own tables, your log files and backups, and what other services, such as your "
        "billing service, store."
    )
    if erasure.kept_payments:
        yield _("The texts of payments were kept for your books.")
