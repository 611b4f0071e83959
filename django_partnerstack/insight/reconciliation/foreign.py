"""Transactions that this site knows nothing of: another integration's, and duplicates of the site's own."""

from __future__ import annotations

from collections.abc import Iterator

from ...models import Customer, Transaction
from ...outbox.keys import payment_key
from ..status.double_reports import SAME_PAYMENT
from . import kinds
from .comparison import PAGE, Comparison, seconds
from .ledger import MirroredPayment, batched
from .tally import Difference


def compare_unknown(comparison: Comparison) -> None:
    """Call it after the payments were compared."""
    comparison.ledger.index()
    for page in batched(comparison.ledger.unknown_payments(), PAGE):
        keys = _customer_keys(comparison, page)
        twins = dict(_twins(comparison, page))
        for each in page:
            key = each.customer_key or keys.get(each.customer, "")
            if each.pk not in twins and comparison.is_of_another_site(key):
                comparison.tally.agree(kinds.OTHER_SITE)
            else:
                comparison.tally.add(_difference(each, key, twins.get(each.pk, "")))


def _customer_keys(comparison: Comparison, page: list[MirroredPayment]) -> dict[str, str]:
    own = {each.customer for each in page if not each.customer_key}
    rows = Customer.objects.using(comparison.using).filter(mode=comparison.mode, key__in=own)
    return dict(rows.values_list("key", "customer_key")) if own else {}


def _twins(comparison: Comparison, page: list[MirroredPayment]) -> Iterator[tuple[int, str]]:
    """The transactions of the page that seem to be a payment of this site, with the key of that."""
    customers = {each.customer for each in page if each.customer}
    if not customers:
        return
    rows = Transaction.objects.using(comparison.using).filter(
        mode=comparison.mode,
        customer_key__in=customers,
        amount__in={each.amount for each in page},
        archived=False,
        missing_since=None,
    )
    others: dict[tuple[str, int | None, str], list[tuple[str, float | None]]] = {}
    columns = ("customer_key", "amount", "currency", "key", "remote_created_at")
    for customer, amount, currency, key, when in rows.values_list(*columns):
        others.setdefault((customer, amount, currency), []).append((key, seconds(when)))
    keys = {payment_key(key) for same in others.values() for key, _ in same}
    known = {key for some in batched(keys, PAGE) for key in comparison.ledger.known(some)}
    for each in page:
        for key, at in others.get((each.customer, each.amount, each.currency), ()):
            if _is_near(at, each.at) and key != each.key and payment_key(key) in known:
                yield each.pk, key
                break


def _is_near(at: float | None, other: float | None) -> bool:
    return at is not None and other is not None and abs(at - other) <= SAME_PAYMENT.total_seconds()


def _difference(each: MirroredPayment, customer_key: str, twin: str) -> Difference:
    named = (
        f"It is a transaction of {customer_key or each.customer}." if each.customer or customer_key else ""
    )
    return Difference(
        kind=kinds.DUPLICATE if twin else kinds.NOT_HERE,
        key=each.key,
        detail=f"It seems to be {twin}, which this site has reported." if twin else named,
        there=(each.amount, each.currency.upper()) if each.amount is not None else None,
        mirror_pk=each.pk,
    )
