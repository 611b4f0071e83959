from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.translation import gettext as _

from django_partnerstack import telemetry
from django_partnerstack.conf import conf
from django_partnerstack.connection import ConfigurationError, get_client
from django_partnerstack.insight import status
from django_partnerstack.management.arguments import positive_int
from django_partnerstack.management.preconditions import PUSH_DISABLED, require_mode_and_table
from django_partnerstack.management.service import GUARANTEE, log_to_console, run_service
from django_partnerstack.models import Worker
from django_partnerstack.worker import site_jobs


class Command(BaseCommand):
    #: Other apps' checks may query the database, and end in a traceback if it cannot be reached.
    requires_system_checks = ("partnerstack",)
    help = (
        "Send messages to PartnerStack, process its webhooks and sync the mirrors, until SIGTERM or Ctrl-C. "
        "Run it as a service, in any number of processes on any number of machines; it is all a site runs."
        + GUARANTEE
    )

    def add_arguments(self, parser: CommandParser) -> None:
        threads = "Send N messages at the same time. Default: 4."
        parser.add_argument("--threads", type=positive_int, default=4, metavar="N", help=threads)

    def handle(self, *args: Any, **options: Any) -> None:
        require_mode_and_table(Worker)
        try:
            get_client().close()
        except ConfigurationError as error:
            raise CommandError(str(error)) from error
        jobs = site_jobs(threads=options["threads"])
        if not jobs:
            raise CommandError(
                _(
                    "There is nothing to do: PARTNERSTACK_PUSH_ENABLED is False and PARTNERSTACK_SYNC_EVERY "
                    "is 0."
                )
            )
        log_to_console()
        telemetry.observe(status.gauges)
        names = ", ".join(job.name for job in jobs)
        running = _("Running for PartnerStack ({mode}): {jobs}. Press Ctrl-C to stop.")
        self.stdout.write(running.format(mode=conf.mode, jobs=names))
        self.stdout.flush()
        if not conf.push_enabled:
            self.stderr.write(str(PUSH_DISABLED))
        run_service(jobs)
        self.stdout.write(_("Stopped."))
