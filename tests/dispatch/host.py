"""A site's process: it signs up a customer, takes a payment, and ends at once."""

from __future__ import annotations

import django


def main() -> None:
    django.setup()
    from django.db import transaction

    from tests.shop.models import Account, Payment

    from . import celery_app  # noqa: F401  as a site's __init__ does

    with transaction.atomic():
        account = Account.objects.create(pk=1, email="ada@shop.example", partner_key="gstest")
        Payment.objects.create(pk=1, account=account, total=10)


if __name__ == "__main__":
    main()
