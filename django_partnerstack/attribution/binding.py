"""Deciding, once, who sent a customer."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Any

from django.db import IntegrityError, router, transaction
from django.http import HttpRequest
from django.utils import timezone

from ..conf import conf
from ..exceptions import PartnerStackError
from ..models import Attribution, Customer, Way
from .parameters import Click
from .visit import Visit, visit_of


def bind(
    customer_key: str,
    request: HttpRequest,
    *,
    mode: str,
    token: str = "",
    source: tuple[str, str] = ("", ""),
    using: str | None = None,
) -> bool:
    """
    Write down which click a new customer came by, or why none is known; False if that was done before.

    Call it in the transaction that makes the customer. Safe to repeat: the first decision stays.
    """
    using = using or router.db_for_write(Attribution)
    visit = visit_of(request, token)
    columns = {
        "source": source[0],
        "source_pk": source[1],
        "way": visit.way if visit.clicks else Way.NONE,
        "reason": visit.reason,
        "bound_at": timezone.now(),
        **(_columns(visit) if visit.clicks else {}),
    }
    if conf.privacy == "full" and visit.clicks:
        columns["visit"] = _details(request)
    attribution = Attribution(mode=mode, customer_key=customer_key, **columns)
    try:
        with transaction.atomic(using):
            attribution.save(using=using, force_insert=True)
    except IntegrityError:
        if not Attribution.objects.using(using).filter(mode=mode, customer_key=customer_key).exists():
            raise
        return False
    return True


class AlreadyReported(PartnerStackError):
    """PartnerStack has the customer already, and moves none from one partner to another."""


def assign(customer_key: str, partner_key: str, *, mode: str, by: str) -> None:
    """
    Credit a customer to a partner by hand, whatever was decided before. Safe to repeat.

    Raises AlreadyReported if PartnerStack has the customer.
    """
    if Customer.objects.filter(mode=mode, customer_key=customer_key, key__isnull=False).exists():
        raise AlreadyReported(
            f"PartnerStack has {customer_key} already; its partner can be changed in the dashboard there."
        )
    reason = f"Assigned by {by}."[:255]
    Attribution.objects.update_or_create(
        mode=mode,
        customer_key=customer_key,
        defaults={"way": Way.HAND, "partner_key": partner_key, "reason": reason, "click_id": ""},
        create_defaults={
            "way": Way.HAND,
            "partner_key": partner_key,
            "reason": reason,
            "bound_at": timezone.now(),
        },
    )


def _columns(visit: Visit) -> dict[str, Any]:
    click, *earlier = visit.clicks
    return {
        "click_id": click.click_id,
        "partner_key": click.partner_key,
        "unread_key": click.unread_key,
        "clicked_at": click.at if visit.way != Way.PARTNERSTACK else None,
        "landing_path": click.path,
        "earlier_clicks": [_plain(other) for other in earlier],
    }


def _plain(click: Click) -> dict[str, str]:
    fields = asdict(click)
    when: datetime = fields.pop("at")
    return {**fields, "at": when.isoformat()}


def _details(request: HttpRequest) -> dict[str, str]:
    """What PartnerStack's fraud checks use, as its page on conversions names it."""
    found = {
        "origin": request.build_absolute_uri("/"),
        "ip_address": request.META.get("REMOTE_ADDR", ""),
        "user_agent": request.headers.get("User-Agent", "")[:1000],
    }
    return {name: value for name, value in found.items() if value}
