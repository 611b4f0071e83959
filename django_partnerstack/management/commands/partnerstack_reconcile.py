from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import Error as DatabaseError
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from tqdm import tqdm

from django_partnerstack.conf import conf
from django_partnerstack.insight.reconciliation.kinds import KINDS, NO_DIFFERENCE
from django_partnerstack.insight.reconciliation.run import NeverSynced, Reconciled, reconcile
from django_partnerstack.insight.reconciliation.tally import sums_in_words
from django_partnerstack.management.arguments import time_or_age
from django_partnerstack.management.output import printing
from django_partnerstack.management.preconditions import in_one_line, require_mode_and_table
from django_partnerstack.models import ReconciliationRun


class Command(BaseCommand):
    #: Other apps' checks may query the database, and end in a traceback if it cannot be reached.
    requires_system_checks = ("partnerstack",)
    help = (
        "Compare the site's own customers and payments with the mirror of PartnerStack, in both directions: "
        "counts, sums and examples of what differs, and what mends it. Changes nothing. Exits with status 1 "
        "if the books differ. Run partnerstack_sync first, with --full once a day."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        since = "Leave out what is older than WHEN: 2026-01-31, 2026-01-31T12:00, 36h or 7d."
        parser.add_argument("--since", type=time_or_age, metavar="WHEN", help=since)
        parser.add_argument("--json", action="store_true", help="Print the result as JSON.")

    def handle(self, *args: Any, **options: Any) -> None:
        require_mode_and_table(ReconciliationRun)
        try:
            with Bar(quiet=options["json"] or not self.stderr.isatty()) as bar:
                result = reconcile(mode=conf.mode, since=options["since"], progress=bar.update)
            ReconciliationRun.objects.remember(result.as_json(with_errors=False))
        except KeyboardInterrupt:
            raise CommandError(_("Stopped. Nothing was changed."), returncode=130) from None
        except NeverSynced as error:
            raise CommandError(str(error)) from error
        except DatabaseError as error:
            raise CommandError(f"The database failed: {in_one_line(error)}.") from error
        with printing(self.stdout):
            if options["json"]:
                self.stdout.write(json.dumps(result.as_json(), indent=2))
            else:
                for line in lines(result):
                    self.stdout.write(conf.without_keys(line))
        if result.differences:
            raise SystemExit(1)


class Bar:
    """A progress bar for each book that is read."""

    def __init__(self, *, quiet: bool) -> None:
        self.bar = tqdm(unit=" rows", disable=quiet, leave=False)
        self.what = ""

    def __enter__(self) -> Bar:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.bar.close()

    def update(self, what: str, done: int, total: int) -> None:
        if what != self.what:
            self.what = what
            self.bar.reset(total)
            self.bar.set_description_str(what, refresh=False)
        self.bar.update(done)


def lines(result: Reconciled) -> Iterator[str]:
    """The result for people."""
    found = result.as_json()
    when = f"{localtime(result.synced_at):%Y-%m-%d %H:%M %Z}"
    yield _("Compared with what PartnerStack had on {when} ({mode} mode).").format(
        when=when, mode=result.mode
    )
    for what, reasons in found["same"].items():
        if reasons:
            counts = (f"{reasons[code]:,} {name}" for code, name in NO_DIFFERENCE.items() if code in reasons)
            yield f"{what.capitalize()}: {', '.join(counts)}."
    for code, tally in found["differences"].items():
        yield ""
        yield from kind_lines(code, tally)
    yield ""
    if result.differences:
        yield _("The books differ: {number} differences.").format(number=f"{result.differences:,}")
    else:
        yield _("The books agree.")


def kind_lines(code: str, tally: dict[str, Any]) -> Iterator[str]:
    kind = KINDS[code]
    counts = (f"{tally[what]:,} {what}" for what in ("payments", "customers") if tally[what])
    yield f"{code}: {', '.join(counts)}. {kind.sentence}"
    for where, name in ((_("Here"), "here"), (_("At PartnerStack"), "there")):
        if tally[name]:
            yield f"  {where}: {sums_in_words(tally[name])}"
    yield f"  {_('Run')}: {kind.command}" if kind.command else f"  {kind.mend}"
    for example in tally["examples"]:
        source = f" ({example['source']} {example['source_pk']})" if example["source"] else ""
        yield f"  - {example['key']}{source} {example['detail']}".rstrip()
    if (more := tally["count"] - len(tally["examples"])) > 0:
        yield "  " + _("… and {more} more").format(more=f"{more:,}")
