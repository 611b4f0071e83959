"""The host: it writes its history in real transactions. As a process it writes as many events as ordered."""

from __future__ import annotations

from contextlib import suppress
from decimal import Decimal
from itertools import islice
from multiprocessing.connection import Connection

from django.db import transaction

from django_partnerstack import track
from tests.shop.models import Account, Payment

from .history import Event, History


class RolledBack(Exception):
    """Other code of the host failed in the same transaction."""


def write(event: Event) -> None:
    with suppress(RolledBack), transaction.atomic():
        _write(event)
        if not event.kept:
            raise RolledBack


def _write(event: Event) -> None:
    if event.kind == "sign-up":
        email = f"owner{event.account}@shop.example"
        Account(pk=event.account, email=email, partner_key="gstest").save(force_insert=True)
    elif event.kind == "stranger":
        email = f"owner{event.account}@unknown.example"
        Account(pk=event.account, email=email, partner_key="gstest").save(force_insert=True)
    elif event.kind == "known":
        account = Account.objects.get(pk=event.account)
        account.email = f"owner{event.account}@shop.example"
        account.save()
    elif event.kind == "change":
        account = Account.objects.get(pk=event.account)
        account.name = event.text
        account.save()
    elif event.kind == "payment":
        total = Decimal(event.cents) / 100
        Payment(pk=event.payment, account_id=event.account, total=total).save(force_insert=True)
    else:
        track.refund(f"payment-{event.payment}", amount=event.cents)


def write_on_order(orders: Connection, seed: int, number: int) -> None:
    history = iter(History(seed, number))
    while True:
        for event in islice(history, orders.recv()):
            write(event)
        print("written")
