from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from django_partnerstack.conf import conf
from django_partnerstack.insight import explain, find
from django_partnerstack.management.output import printing
from django_partnerstack.management.preconditions import require_mode_and_table
from django_partnerstack.models import Attribution


class Command(BaseCommand):
    #: Django's other checks query the database, and fail with a traceback without it.
    requires_system_checks = ("partnerstack",)
    help = (
        "Explain why a sign-up is attributed to a partner, or to none: what was clicked, decided and "
        "reported, and what PartnerStack has. Exits with status 1 if there is no such customer."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "customer", help="A customer key, an e-mail address, or the primary key of one of your objects."
        )

    def handle(self, *, customer: str, **options: Any) -> None:
        require_mode_and_table(Attribution)
        keys = find(customer, mode=conf.mode)
        if not keys:
            raise CommandError(
                f"There is no customer {customer!r} in {conf.mode} mode: give its key, its e-mail address, "
                "or the primary key of your object."
            )
        with printing(self.stdout):
            for key in keys:
                self.stdout.write(f"{key} ({conf.mode} mode)")
                for sentence in explain(key, mode=conf.mode):
                    self.stdout.write(f"  {sentence}")
