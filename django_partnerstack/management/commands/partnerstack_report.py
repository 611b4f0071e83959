from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from datetime import date
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from django_partnerstack.conf import conf
from django_partnerstack.insight.report import Partner, Period, Report, find_partner, report
from django_partnerstack.insight.report.output import as_json, csv_rows, table
from django_partnerstack.insight.report.period import default_period, first_day, last_day
from django_partnerstack.insight.spreadsheet import lines
from django_partnerstack.management.output import printing
from django_partnerstack.management.preconditions import require_mode_and_table
from django_partnerstack.models import Transaction


def day(read: Callable[[str], date]) -> Callable[[str], date]:
    def read_argument(text: str) -> date:
        try:
            return read(text)
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error)) from None

    return read_argument


class Command(BaseCommand):
    #: Django's other checks query the database, and fail with a traceback without it.
    requires_system_checks = ("partnerstack",)
    help = (
        "Show what each partner brought and earned in a period: clicks, sign-ups, paying customers, revenue, "
        "refunds and rewards, per currency. Reads only your database. Default: the current month."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        since = "The first day, or month: 2026-05-17 or 2026-05. Days are those of the site's time zone."
        parser.add_argument("--from", dest="first", type=day(first_day), metavar="DAY", help=since)
        until = "The last day, or month, which is included."
        parser.add_argument("--to", dest="last", type=day(last_day), metavar="DAY", help=until)
        partner = "Only this partner: its partner key, PartnerStack's own key, or its e-mail address."
        parser.add_argument("--partner", help=partner)
        how = parser.add_mutually_exclusive_group()
        how.add_argument("--csv", action="store_true", help="Print CSV, with a column for each currency.")
        how.add_argument("--json", action="store_true", help="Print JSON.")

    def handle(self, *, first: date | None, last: date | None, partner: str | None, **options: Any) -> None:
        require_mode_and_table(Transaction)
        period = Period(first, last) if first or last else default_period()
        if first and last and first > last:
            raise CommandError(f"--from ({first}) is later than --to ({last}).")
        found = report(conf.mode, period, partner=self._partner(partner))
        with printing(self.stdout):
            if options["json"]:
                self.stdout.write(json.dumps(as_json(found), indent=2))
            elif options["csv"]:
                for line in lines(csv_rows(found)):
                    self.stdout.write(line, ending="")
            else:
                self._show(found)

    def _partner(self, text: str | None) -> Partner | None:
        if text is None:
            return None
        partner = find_partner(conf.mode, text)
        if partner is None:
            raise CommandError(
                f"There is no partner {text!r} in {conf.mode} mode: give its partner key, PartnerStack's own "
                "key or its e-mail address, as synced. Run partnerstack_sync partnerships if it is new."
            )
        return partner

    def _show(self, found: Report) -> None:
        if not found.rows:
            self.stdout.write(f"Nothing in this period ({found.period}, {found.mode} mode).")
            return
        self.stdout.write(f"{found.period}, {found.mode} mode")
        self.stdout.write(table(found))
