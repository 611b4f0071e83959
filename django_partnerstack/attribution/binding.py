"""Deciding, once, who sent a customer."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from django.db import IntegrityError, router, transaction
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from ..conf import conf
from ..exceptions import AlreadyReported, InvalidArgument
from ..models import Attribution, AttributionMethod, Customer
from ..models.bulk import insert, none_of
from .parameters import LONGEST_KEY, Click, printable
from .visit import Visit, visit_of

#: What a row has where no click is known.
NO_CLICK: dict[str, Any] = {
    "click_id": "",
    "partner_key": "",
    "unread_key": "",
    "link_host": "",
    "clicked_at": None,
    "landing_path": "",
    "earlier_clicks": [],
    "visit": {},
}


def bind(
    customer_key: str,
    request: HttpRequest | None,
    *,
    mode: str,
    token: str = "",
    source: tuple[str, str] = ("", ""),
    using: str | None = None,
) -> bool:
    """
    Write down which click a new customer came by, or why none is known. Returns whether that is new.

    One INSERT; call it in the transaction that makes the customer. Safe to repeat: the first decision
    stays. Only where no click was known then, one that had been made by then still counts.
    """
    using = using or router.db_for_write(Attribution)
    visit = visit_of(request, token)
    decided = Attribution.objects.using(using).filter(mode=mode, customer_key=customer_key)
    row = {
        "mode": mode,
        "customer_key": customer_key,
        "source": source[0],
        "source_pk": source[1],
        "bound_at": timezone.now(),
        **NO_CLICK,
        **_columns(visit, request),
    }
    if _insert(row, decided, using):
        return True
    if not visit.clicks:
        return False
    with transaction.atomic(using):
        return _fill_in(visit, request, decided)


def _insert(row: dict[str, Any], decided: QuerySet[Attribution], using: str) -> bool:
    try:
        with transaction.atomic(using):
            return insert(Attribution, [row], using=using, where=none_of(decided, using=using)) == 1
    except IntegrityError:
        # Another process has decided at this very moment, or something is really wrong.
        if not decided.exists():
            raise
        return False


def _fill_in(visit: Visit, request: HttpRequest | None, decided: QuerySet[Attribution]) -> bool:
    undecided = decided.filter(method=AttributionMethod.NONE)
    bound_at = undecided.values_list("bound_at", flat=True).first()
    clicks = tuple(click for click in visit.clicks if bound_at and click.at <= bound_at)
    return bool(clicks) and undecided.update(**_columns(Visit(clicks, visit.method), request)) == 1


def assign(customer_key: str, partner_key: str, *, mode: str, by: str) -> None:
    """
    Creation a customer to a partner by hand, whatever was decided before. Safe to repeat.

    Raises AlreadyReported if PartnerStack has the customer, and InvalidArgument for what is no partner key.
    """
    if not printable(partner_key):
        raise InvalidArgument(
            f"A partner key has 1 to {LONGEST_KEY} printable characters; not {partner_key!r}."
        )
    if Customer.objects.filter(mode=mode, customer_key=customer_key, key__isnull=False).exists():
        raise AlreadyReported(
            f"PartnerStack has {customer_key} already; its partner can be changed in the dashboard there."
        )
    decision = {
        "method": AttributionMethod.MANUAL,
        "partner_key": partner_key,
        "reason": f"Assigned by {by}."[:255],
    }
    Attribution.objects.update_or_create(
        mode=mode,
        customer_key=customer_key,
        defaults=decision,
        create_defaults={**decision, "bound_at": timezone.now()},
    )


def _columns(visit: Visit, request: HttpRequest | None) -> dict[str, Any]:
    if not visit.clicks:
        return {"method": AttributionMethod.NONE, "reason": visit.reason}
    click, *earlier = visit.clicks
    return {
        "method": visit.method,
        "reason": "",
        "click_id": click.click_id,
        "partner_key": click.partner_key,
        "unread_key": click.unread_key,
        "link_host": click.link_host,
        "clicked_at": click.at if visit.method != AttributionMethod.PARTNERSTACK else None,
        "landing_path": click.path,
        "earlier_clicks": [_plain(other) for other in earlier],
        "visit": _details(request) if request is not None and conf.privacy == "full" else {},
    }


def _plain(click: Click) -> dict[str, str]:
    return {**asdict(click), "at": click.at.isoformat()}


def _details(request: HttpRequest) -> dict[str, str]:
    """What PartnerStack's fraud checks use, as its page on conversions names it."""
    found = {
        "origin": request.build_absolute_uri("/"),
        "ip_address": request.META.get("REMOTE_ADDR", ""),
        "user_agent": request.headers.get("User-Agent", "")[:1000],
    }
    return {name: value for name, value in found.items() if value and value.isprintable()}
