from __future__ import annotations

import re
from typing import Any

from django.contrib import admin
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from ...models import Customer, Reward, Transaction
from ...outbox.operations import mirrored_in
from ..display.columns import money
from ..display.links import Link, Related
from .reported import ReportedMirrorAdmin


@admin.register(Transaction)
class TransactionAdmin(ReportedMirrorAdmin):
    columns = (
        "key",
        money,
        Link(_("customer"), "customer_key", Customer, "key", "customer_key"),
        "approved",
    )
    details = ("customer_external_key", "test")
    related = (Related(Reward, "transaction_key"),)
    filters = ("approved", "test")
    search_fields = ("key", "customer_key", "customer_external_key")
    customer_column = "customer_external_key"

    def messages_of(self, row: Any) -> Q:
        """After a partial refund PartnerStack has the rest of the payment under another key."""
        subjects = {row.key, re.sub(r"-r\d+$", "", row.key)}
        return Q(subject__in=subjects, operation__in=mirrored_in(Transaction))
