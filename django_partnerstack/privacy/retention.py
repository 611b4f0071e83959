"""Deleting the details of old clicks. Messages, attempts and webhook events are deleted where they belong."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import router
from django.db.models import Q

from ..conf import conf
from ..models import Attribution

#: Rows written in one statement.
BATCH = 1000


def prune_clicks(mode: str, now: datetime) -> int:
    """
    Delete where a visitor landed, its earlier clicks and its visit, ``PARTNERSTACK_RETENTION_DAYS`` after the
    sign-up. Returns how many attributions were changed.

    The partner and the click that counts stay: they are why the partner is paid. A customer without a partner
    keeps the details as long as it can still be attributed. Safe to repeat and to run beside workers.
    """
    rows = Attribution.objects.using(router.db_for_write(Attribution)).filter(mode=mode).order_by()
    days = max(conf.retention_days, conf.attribution_days)
    detailed = Q(landing_path__gt="") | ~Q(earlier_clicks=[]) | ~Q(visit={})
    old = Q(bound_at__lt=now - timedelta(days=conf.retention_days)) & ~Q(partner_key="")
    organic = Q(bound_at__lt=now - timedelta(days=days))
    found, pruned = rows.filter(detailed, old | organic), 0
    while pks := list(found.values_list("pk", flat=True)[:BATCH]):
        pruned += rows.filter(pk__in=pks).update(landing_path="", earlier_clicks=[], visit={})
    return pruned
