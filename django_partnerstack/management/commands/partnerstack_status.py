from __future__ import annotations

import json
import socket
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError, router
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from django_partnerstack.conf import conf
from django_partnerstack.insight.findings import Severity
from django_partnerstack.insight.status import Health, health
from django_partnerstack.insight.status.prometheus import prometheus_text
from django_partnerstack.insight.status.summary import summary
from django_partnerstack.management.output import printing
from django_partnerstack.management.preconditions import in_one_line, require_mode
from django_partnerstack.models import Worker


class Command(BaseCommand):
    #: Other apps' checks may query the database, and end in a traceback if it cannot be reached.
    requires_system_checks = ()
    help = (
        "Say whether the integration works, and what needs attention: the queue, deliveries, syncs, "
        "workers and webhooks, as this site's database shows them. Sends nothing to PartnerStack. Exits with "
        "status 1 if a finding is an error, or as urgent as --fail-on says."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        shown = parser.add_mutually_exclusive_group()
        shown.add_argument("--json", action="store_true", help="Print everything as JSON.")
        shown.add_argument(
            "--prometheus", action="store_true", help="Print the figures in the text format of Prometheus."
        )
        shown.add_argument(
            "--worker",
            action="store_true",
            help="Only say whether a worker runs on this host, as a probe of a container does.",
        )
        urgencies = [severity.word for severity in Severity if severity > Severity.OK]
        parser.add_argument(
            "--fail-on",
            choices=urgencies,
            help="The severity from which on the exit status is 1. Default: error; with --prometheus: none.",
        )
        parser.add_argument("--any", action="store_true", help="With --worker: on any host.")

    def handle(self, *args: Any, **options: Any) -> None:
        require_mode()
        if options["any"] and not options["worker"]:
            raise CommandError(_("--any belongs to --worker."))
        if options["worker"]:
            self._worker(anywhere=options["any"])
            return
        found = health()
        with printing(self.stdout):
            if options["json"]:
                self.stdout.write(json.dumps(found.as_dict(), indent=2))
            elif options["prometheus"]:
                self.stdout.write(prometheus_text(found), ending="")
            else:
                self._write(found)
        fail_on = options["fail_on"] or (None if options["prometheus"] else Severity.ERROR.word)
        if fail_on and found.severity >= Severity[fail_on.upper()]:
            raise SystemExit(1)

    def _write(self, found: Health) -> None:
        for line in summary(found):
            self.stdout.write(line)
        styles = {Severity.ERROR: self.style.ERROR, Severity.WARN: self.style.WARNING}
        for finding in found.findings:
            style = styles.get(finding.severity, str)
            self.stdout.write(f"\n{style(finding.severity.word.upper())} {finding.sentence}")
            self.stdout.write(f"    {finding.advice}")

    def _worker(self, *, anywhere: bool) -> None:
        host = socket.gethostname()
        workers = Worker.objects.using(router.db_for_write(Worker)).filter(mode=conf.mode)
        if not anywhere:
            workers = workers.filter(host=host)
        try:
            running = workers.alive(timezone.now()).count()
            seen_at = workers.order_by("-seen_at").values_list("seen_at", flat=True).first()
        except DatabaseError as error:
            text = _("The database cannot be read: {reason}.")
            raise CommandError(text.format(reason=in_one_line(error))) from error
        where = "" if anywhere else _(" on {host}").format(host=host)
        if not running:
            text = _("No worker runs{where}.").format(where=where)
            seen = _("The last was seen at {at:%Y-%m-%d %H:%M:%S} UTC.").format(at=seen_at) if seen_at else ""
            raise CommandError(f"{text} {seen}".rstrip())
        text = ngettext("{number} worker runs{where}.", "{number} workers run{where}.", running)
        self.stdout.write(text.format(number=running, where=where))
