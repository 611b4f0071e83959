"""Models that were renamed or moved: finding their labels, and giving the site's records the new ones."""

from __future__ import annotations

from typing import Any

from django.apps import apps
from django.db import models, transaction

from ..exceptions import InvalidArgument
from ..models import Attribution, CustomerIdentity, OutboxMessage, ReportedKey, SourceFailure
from .primary_keys import root_of

#: The columns with the label of a model.
LABELS: tuple[tuple[type[models.Model], str], ...] = (
    (OutboxMessage, "source"),
    (OutboxMessage, "customer_source"),
    (Attribution, "source"),
    (ReportedKey, "source"),
)


def lost_labels(using: str) -> list[str]:
    """The labels of customers' models that the site does not have any more, or that have another table."""
    rows = CustomerIdentity.objects.using(using).exclude(table="").order_by()
    recorded = set(rows.values_list("model", "table").distinct())
    tables = {model._meta.label_lower: model._meta.db_table for model in apps.get_models()}
    return sorted({label for label, table in recorded if tables.get(label) != table})


def relabel(old: str, new: str, *, using: str) -> int:
    """
    Give the customers of a renamed or moved model its new label and table. Returns how many.

    ``old`` and ``new``: labels such as "shop.Account". Also changes the sources of messages, attributions and
    reported keys, whose model may be one of payments. Safe to repeat.

    Raises InvalidArgument if there is no model ``new``. IntegrityError is raised, and nothing is changed, if
    rows of the new model were reported already under keys of their own.
    """
    try:
        model: Any = apps.get_model(new)
    except (LookupError, ValueError) as error:
        raise InvalidArgument(f"{new!r} is not the label of a model: {error}") from None
    root: Any = root_of(model)
    old = old.lower()
    with transaction.atomic(using):
        customers = CustomerIdentity.objects.using(using).filter(model=old)
        changed = customers.update(model=root._meta.label_lower, table=root._meta.db_table)
        failures = SourceFailure.objects.using(using).filter(source=old)
        failures.update(source=model._meta.label_lower, table=root._meta.db_table)
        for records, column in LABELS:
            rows = records._base_manager.using(using).filter(**{column: old})
            rows.update(**{column: model._meta.label_lower})
    return changed
