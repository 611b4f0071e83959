from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.translation import gettext as _

from django_partnerstack import track
from django_partnerstack.conf import conf
from django_partnerstack.insight import find
from django_partnerstack.management.preconditions import database_errors_in_one_line, require_mode_and_table
from django_partnerstack.models import ForgottenCustomer
from django_partnerstack.privacy import forgotten_keys, is_forgotten
from django_partnerstack.privacy.words import sentences


class Command(BaseCommand):
    #: Django's other checks query the database, and fail with a traceback without it.
    requires_system_checks = ("partnerstack",)
    help = _(
        "Forget a customer: erase its personal data from this app's tables, and let PartnerStack anonymise "
        "and archive it. Nothing is reported about it from then on. Safe to repeat. Exits with status 1 if "
        "there is no such customer."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "customer",
            help=_("A customer key, an e-mail address, or the primary key of one of your objects."),
        )
        parser.add_argument("--dry-run", action="store_true", help=_("Only count what would be erased."))
        parser.add_argument("--json", action="store_true", help=_("Print what was done as JSON."))
        parser.add_argument(
            "--keep-payments",
            action="store_true",
            help=_("Keep the texts of payments, such as their metadata, if your books need them."),
        )

    def handle(self, *, customer: str, dry_run: bool, keep_payments: bool, **options: Any) -> None:
        require_mode_and_table(ForgottenCustomer)
        with database_errors_in_one_line():
            key = self._key(customer)
            erasure = track.forget(key, dry_run=dry_run, keep_payments=keep_payments)
        if options["json"]:
            self.stdout.write(json.dumps({**asdict(erasure), "sentences": sentences(erasure)}, indent=2))
            return
        for sentence in sentences(erasure):
            self.stdout.write(sentence)

    def _key(self, customer: str) -> str:
        found = list(
            dict.fromkeys([*find(customer, mode=conf.mode), *forgotten_keys(customer, mode=conf.mode)])
        )
        if not found:
            text = _(
                "There is no customer {customer!r} in {mode} mode: give its key, its e-mail address, or the "
                "primary key of your object."
            )
            raise CommandError(text.format(customer=customer, mode=conf.mode))
        # Somebody who was forgotten may have signed up again with the same address.
        if len(found) > 1 and len(others := [key for key in found if not is_forgotten(key)]) == 1:
            found = others
        if len(found) > 1:
            text = _("Several customers match; give a customer key: {keys}.")
            raise CommandError(text.format(keys=", ".join(found)))
        return found[0]
