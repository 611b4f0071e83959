from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from django_partnerstack.conf import conf
from django_partnerstack.connection import ConfigurationError
from django_partnerstack.insight.findings import Finding
from django_partnerstack.insight.status import Health, health, obstacle
from django_partnerstack.management.arguments import positive_int
from django_partnerstack.management.preconditions import (
    PUSH_DISABLED,
    database_errors_in_one_line,
    require_mode_and_table,
)
from django_partnerstack.management.service import (
    GUARANTEE,
    log_to_console,
    run_service,
    stopped_by_signals,
)
from django_partnerstack.models import LaneStatus, OutboxLane, OutboxMessage, State
from django_partnerstack.outbox.push import worker
from django_partnerstack.outbox.queue.retention import prune
from django_partnerstack.outbox.queue.sequencing.waiting import queue_waiting
from django_partnerstack.privacy.retention import prune_clicks
from django_partnerstack.worker import delivery

#: Organic customers are counted up to this number of messages.
COUNTED = 1000

#: Findings that are the exit status 1 and the reason for it.
NEEDS_ATTENTION = (
    "tables-missing",
    "database-silent",
    "mode-mismatch",
    "messages-failed",
    "messages-on-hold",
    "source-errors",
)


class Command(BaseCommand):
    #: Other apps' checks may query the database, and end in a traceback if it cannot be reached.
    requires_system_checks = ("partnerstack",)
    help = (
        "Send the due messages to PartnerStack, and print how many reached each state. Exits with "
        "status 1 if a message is failed or on hold, if an object could not be reported, if the keys are "
        "those of the other mode, or if a message is left and nothing can be sent now. With --loop it runs "
        "until it is stopped, like partnerstack_worker without its other jobs." + GUARANTEE
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--loop", action="store_true", help="Run until SIGTERM or Ctrl-C.")
        parser.add_argument("--limit", type=positive_int, metavar="N", help="Send at most N messages.")
        parser.add_argument(
            "--threads",
            type=positive_int,
            default=4,
            metavar="N",
            help="Send N messages at the same time. Default: 4.",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if options["loop"] and options["limit"]:
            raise CommandError(_("Give --loop or --limit, not both: a loop has no end."))
        require_mode_and_table(OutboxMessage)
        if not conf.push_enabled:
            raise CommandError(PUSH_DISABLED)
        try:
            loop = worker(threads=options["threads"])
        except ConfigurationError as error:
            raise CommandError(str(error)) from error
        if options["loop"]:
            loop.client.close()
            log_to_console()
            run_service([delivery(threads=options["threads"])])
            return
        with database_errors_in_one_line():
            queue_waiting(conf.mode)
        with stopped_by_signals(loop.stop):
            counts = loop.run(limit=options["limit"])
        with database_errors_in_one_line():
            prune(conf.mode, timezone.now() - timedelta(days=conf.retention_days))
            prune_clicks(conf.mode, timezone.now())
            self._report(counts)

    def _report(self, counts: Counter[str]) -> None:
        labels = {
            **dict(State.choices),
            "accepted": _("accepted, to be confirmed by a look-up"),
            "lost": _("taken over by another worker, or outcome not saved"),
        }
        sent = ", ".join(f"{number} {labels[state]}" for state, number in counts.items())
        now = health()
        left = now.queue.unsent
        nothing = _("Nothing was sent.") if left else _("Nothing to send.")
        self.stdout.write(sent or " ".join([nothing, *self._organic()]))
        if found := now.find("customers-unreported"):
            self.stdout.write(f"{found.sentence} {found.advice}")
        reasons = [*self._obstacle(now), *filter(None, map(now.find, NEEDS_ATTENTION))]
        for found in reasons:
            self.stderr.write(self.style.ERROR(f"{found.sentence} {found.advice}"))
        if reasons:
            raise SystemExit(1)
        if left and not sent:
            self.stdout.write(self._next_attempt(left))

    def _obstacle(self, now: Health) -> Iterator[Finding]:
        """Why nothing can be sent, if a message is left."""
        found = obstacle(now)
        if found is not None and now.queue.unsent:
            yield found

    def _next_attempt(self, left: int) -> str:
        text = ngettext(
            "{number} message waits for its next attempt.",
            "{number} messages wait for their next attempts.",
            left,
        )
        return text.format(number=left)

    def _organic(self) -> Iterator[str]:
        """The usual reason why there is nothing to send on a new site."""
        lanes = OutboxLane.objects.filter(mode=conf.mode, status=LaneStatus.ORGANIC)
        number = len(lanes.values_list("pk")[: COUNTED + 1])
        if not number:
            return
        text = ngettext(
            "{number} customer is organic (no partner) and is not reported.",
            "{number} customers are organic (no partner) and are not reported.",
            number,
        )
        yield text.format(number=_("{number} or more").format(number=COUNTED) if number > COUNTED else number)
