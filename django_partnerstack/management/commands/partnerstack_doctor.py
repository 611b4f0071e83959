from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.translation import gettext as _

from django_partnerstack.conf import conf
from django_partnerstack.insight.doctor import Item, examine
from django_partnerstack.insight.findings import Severity
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

    def handle(self, *args: Any, **options: Any) -> None:
        if conf.mode not in Mode.values:
            raise CommandError(f"PARTNERSTACK_MODE is {conf.mode!r}; it must be 'test' or 'production'.")
        try:
            items = list(self._shown(examine(), quiet=options["json"]))
        except KeyboardInterrupt:
            raise CommandError("Stopped. The examination changed nothing.", returncode=130) from None
        worst = max((item.severity for item in items), default=Severity.OK)
        if options["json"]:
            report = {"mode": conf.mode, "severity": worst.word, "items": [item.as_dict() for item in items]}
            self.stdout.write(conf.without_keys(json.dumps(report, indent=2)))
        else:
            number = sum(len(item.findings) for item in items)
            self.stdout.write(_("No findings.") if not number else _("Findings: %d.") % number)
        if worst >= Severity.ERROR:
            raise SystemExit(1)

    def _shown(self, items: Iterable[Item], *, quiet: bool) -> Iterator[Item]:
        """The items, each printed as soon as it is known."""
        for item in items:
            if not quiet:
                for line in self._lines(item):
                    self.stdout.write(conf.without_keys(line))
                self.stdout.flush()
            yield item

    def _lines(self, item: Item) -> Iterator[str]:
        mark = self._mark(item.state)
        if not item.findings:
            yield f"{mark} {item.name}: {item.text}"
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
