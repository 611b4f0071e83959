from __future__ import annotations

import json
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.translation import gettext as _

from django_partnerstack.conf import conf
from django_partnerstack.insight.doctor import (
    STOPS_EVERYTHING,
    Item,
    Rehearsal,
    Watch,
    examine,
    watched_client,
)
from django_partnerstack.insight.findings import Severity
from django_partnerstack.management.output import printing
from django_partnerstack.management.preconditions import require_mode
from django_partnerstack.models.mirror import Mode

MARKS = {"ok": "✓", "info": "i", "warn": "!", "error": "✗", "skipped": "-"}
PLAIN_MARKS = {**MARKS, "ok": "ok", "error": "X"}


class Command(BaseCommand):
    #: The doctor itself runs them, so that one that fails does not stop it.
    requires_system_checks = ()
    help = (
        "Examine the integration: ask PartnerStack whether the keys, their mode and permissions, the "
        "connection, the clock and the webhooks are right, and look at this site's settings, tables and "
        "workers. Reads only. Exits with status 1 if there is an error."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="Print the result as JSON.")
        live = (
            "Then rehearse the launch, in test mode only: create a test customer and a test transaction "
            "under the test partner at PartnerStack, read them back, and remove them."
        )
        parser.add_argument("--live", action="store_true", help=live)
        parser.add_argument(
            "--no-input",
            "--noinput",
            action="store_false",
            dest="interactive",
            help="Do not ask before --live.",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        require_mode()
        if options["live"]:
            self._require_consent(options)
        self.quiet, self.items = options["json"], list[Item]()
        with printing(self.stdout):
            self._examine(options)

    def _examine(self, options: dict[str, Any]) -> None:
        try:
            for item in examine():
                self._show(item)
            if options["live"]:
                self._rehearse()
        except KeyboardInterrupt:
            raise CommandError(_("Stopped."), returncode=130) from None
        worst = max((item.severity for item in self.items), default=Severity.OK)
        if options["json"]:
            items = [item.as_dict() for item in self.items]
            report = {"mode": conf.mode, "severity": worst.word, "items": items}
            self.stdout.write(conf.without_keys(json.dumps(report, indent=2)))
        else:
            number = sum(len(item.findings) for item in self.items)
            self.stdout.write(_("No findings.") if not number else _("Findings: %d.") % number)
        if worst >= Severity.ERROR:
            raise SystemExit(1)

    def _require_consent(self, options: dict[str, Any]) -> None:
        if conf.mode != Mode.TEST:
            raise CommandError(
                _(
                    "--live works in test mode only, because it creates objects. Set PARTNERSTACK_MODE and "
                    "the keys to test, for example on a staging site."
                )
            )
        if not options["interactive"]:
            return
        if options["json"]:
            raise CommandError(
                _("With --json, give --no-input as well: the output has no room for a question.")
            )
        try:
            answer = input(
                _("Create a test customer and a test transaction at %s, and remove them? [y/N] ")
                % conf.api_url
            )
        except EOFError:
            raise CommandError(_("Nobody answers. Give --no-input to rehearse without a question.")) from None
        if answer.strip().lower() not in ("y", "yes"):
            raise CommandError(_("Nothing was done."))

    def _rehearse(self) -> None:
        """Unless the examination says that it cannot succeed."""
        codes = {finding.code for item in self.items for finding in item.findings}
        if codes & {*STOPS_EVERYTHING, "mode-mismatch"} or "Keys" not in {item.name for item in self.items}:
            self._show(Item("Rehearsal", "Not started: correct the errors above first.", examined=False))
            return
        with watched_client(Watch(), attempts=1) as client, terminated_as_by_ctrl_c():
            Rehearsal(client, self._show).run()

    def _show(self, item: Item) -> None:
        """Keep an item, and print it at once."""
        self.items.append(item)
        if not self.quiet:
            for line in self._lines(item):
                self.stdout.write(conf.without_keys(line))
            self.stdout.flush()

    def _lines(self, item: Item) -> Iterator[str]:
        mark = self._mark(item.state)
        if not item.findings:
            took = (
                f" ({item.seconds:.1f} s)"
                if item.name.startswith("Rehearsal") and item.seconds is not None
                else ""
            )
            yield f"{mark} {item.name}: {item.text}{took}"
            return
        for finding in item.findings:
            yield f"{self._mark(finding.severity.word)} {item.name}: {finding.sentence} [{finding.code}]"
            if finding.advice:
                yield f"    {finding.advice}"

    def _mark(self, state: str) -> str:
        mark, styles = (
            MARKS[state],
            {"ok": self.style.SUCCESS, "error": self.style.ERROR, "warn": self.style.WARNING},
        )
        try:
            mark.encode(getattr(self.stdout, "encoding", None) or "utf-8")
        except (UnicodeEncodeError, LookupError):
            mark = PLAIN_MARKS[state]
        return styles.get(state, str)(mark)


@contextmanager
def terminated_as_by_ctrl_c() -> Iterator[None]:
    """SIGTERM interrupts the block as Ctrl-C does, so that it can remove what it has created."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
