"""Bind a customer to the click that counts, once, or assign it to a partner."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from django.core.exceptions import SuspiciousOperation
from django.db import IntegrityError, router, transaction
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from ..client.validation import path_segment
from ..conf import conf
from ..exceptions import AlreadyReported, InvalidArgument
from ..models import Attribution, AttributionMethod, Customer
from ..models.bulk import insert, none_of
from .clicks import Visit, visit_of
from .parameters import MAX_TEXT_LENGTH, Click, is_text
from .visitor import address_of


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
    Save which click brought a new customer, or why there is none. Returns whether this changed anything.

    ``request`` and ``token``: as in ``visit_of``. ``mode``: "test" or "production". ``source``: label of the
    host's model and primary key. ``using``: the database alias; by default that of Attribution.

    One INSERT; call it in the transaction that creates the customer. Safe to repeat: the first decision
    stays, except that a click from before it replaces a decision without a click. Database errors are raised.
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
        # Another process may have decided at the same moment. Any other error is raised.
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
    Assign a customer to a partner, whatever was decided before. Safe to repeat.

    ``mode``: "test" or "production". ``by``: who assigns, for the record.

    Raises AlreadyReported if PartnerStack has the customer under another partner, and InvalidArgument if one
    of the keys is not a text of 1 to 255 characters, or the partner key is not printable.
    """
    path_segment("A customer key", customer_key)
    if "\0" in customer_key:
        raise InvalidArgument(f"A customer key contains a NUL character: {customer_key!r}.")
    if not isinstance(partner_key, str) or not is_text(partner_key):
        raise InvalidArgument(
            f"A partner key has 1 to {MAX_TEXT_LENGTH} printable characters; not {partner_key!r}."
        )
    mirror = Customer.objects.using(router.db_for_write(Customer))
    there = mirror.filter(mode=mode, customer_key=customer_key)
    if there.exclude(partner_key=partner_key).exists():
        raise AlreadyReported(
            f"PartnerStack has {customer_key} already; change its partner in PartnerStack's dashboard."
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
    """All columns of the decision: without a click they are empty, because an INSERT names all columns."""
    click, *earlier = visit.clicks or (Click(at=timezone.now()),)
    with_details = visit.clicks and conf.privacy == "full"
    return {
        "method": visit.method,
        "reason": visit.reason,
        "click_id": click.click_id,
        "partner_key": click.partner_key,
        "unread_key": click.unread_key,
        "link_host": click.link_host,
        "clicked_at": click.at if visit.clicks and click.at_is_known else None,
        "landing_path": click.path,
        "earlier_clicks": [_earlier(other) for other in earlier],
        "visit": _details(request) if request is not None and with_details else {},
    }


def _earlier(click: Click) -> dict[str, Any]:
    """``at`` is "" if the time is not known."""
    columns = {**asdict(click), "at": click.at.isoformat() if click.at_is_known else ""}
    del columns["at_is_known"]
    return columns


def _origin(request: HttpRequest) -> str:
    try:
        return request.build_absolute_uri("/")
    except SuspiciousOperation:
        # The site does not serve this host.
        return ""


def _details(request: HttpRequest) -> dict[str, str]:
    """
    What PartnerStack's fraud checks use of a visit, by the names of a conversion's parameters.

    Source: docs.partnerstack.com/docs/step-3-tracking-conversions.
    """
    found = {
        "origin": _origin(request),
        "ip_address": address_of(request),
        "user_agent": request.headers.get("User-Agent", "")[:1000],
    }
    return {name: value for name, value in found.items() if value and value.isprintable()}
