"""The host: writes its history in real transactions. As a process, as many events at a time as it is told."""

from __future__ import annotations

import sys
from contextlib import suppress
from decimal import Decimal
from itertools import islice

import django
from django.db import transaction


class RolledBack(Exception):
    """Something else of the host's failed in the same transaction."""


def write(event) -> None:
    with suppress(RolledBack), transaction.atomic():
        _write(event)
        if not event.kept:
            raise RolledBack


def _write(event) -> None:
    from django_partnerstack import track
    from tests.shop.models import Account, Payment

    if event.kind == "sign-up":
        email = f"owner{event.account}@shop.example"
        Account(pk=event.account, email=email, partner_key="gstest").save(force_insert=True)
    elif event.kind == "change":
        account = Account.objects.get(pk=event.account)
        account.name = event.text
        account.save()
    elif event.kind == "payment":
        total = Decimal(event.cents) / 100
        Payment(pk=event.payment, account_id=event.account, total=total).save(force_insert=True)
    else:
        track.refund(f"payment-{event.payment}", amount=event.cents)


def main() -> None:
    seed, number = map(int, sys.argv[1:])
    django.setup()
    from .history import History

    history = iter(History(seed, number))
    written = 0
    for line in sys.stdin:
        for event in islice(history, int(line)):
            write(event)
            written += 1
        print(written, flush=True)


if __name__ == "__main__":
    main()
