from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from django_partnerstack.conf import conf
from django_partnerstack.connection import ConfigurationError
from django_partnerstack.insight.status import DeliveryHealth, delivery_health
from django_partnerstack.management.arguments import positive_int
from django_partnerstack.management.preconditions import database_errors_in_one_line, require_mode_and_table
from django_partnerstack.management.service import GUARANTEE, run_service, stopped_by_signals
from django_partnerstack.models import LaneStatus, OutboxLane, OutboxMessage, State
from django_partnerstack.outbox.push import worker
from django_partnerstack.outbox.queue.claim import is_anything_due
from django_partnerstack.outbox.queue.lanes import queue_waiting
from django_partnerstack.outbox.queue.retention import prune
from django_partnerstack.worker import delivery

#: Organic customers are counted up to this number of messages.
COUNTED = 1000


CUSTOMER_NOT_REPORTED = (
    "Customer not reported yet: save it, report it with track.signup, or run partnerstack_backfill."
)


class Command(BaseCommand):
    #: Other apps' checks may query the database, and end in a traceback if it cannot be reached.
    requires_system_checks = ("partnerstack",)
    help = (
        "Send the due messages to PartnerStack, and print how many reached each state. Exits with "
        "status 1 if a message is failed or on hold, if an object could not be reported, or if delivery is "
        "paused although a message is due. With --loop it runs until it is stopped, like partnerstack_worker "
        "without its other jobs." + GUARANTEE
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
            raise CommandError("Give --loop or --limit, not both: a loop has no end.")
        require_mode_and_table(OutboxMessage)
        if not conf.push_enabled:
            raise CommandError("PARTNERSTACK_PUSH_ENABLED is False: messages are queued, nothing is sent.")
        try:
            loop = worker(threads=options["threads"])
        except ConfigurationError as error:
            raise CommandError(str(error)) from error
        if options["loop"]:
            loop.client.close()
            run_service([delivery(threads=options["threads"])])
            return
        with database_errors_in_one_line():
            queue_waiting(conf.mode)
        with stopped_by_signals(loop.stop):
            counts = loop.run(limit=options["limit"])
        with database_errors_in_one_line():
            prune(conf.mode, timezone.now() - timedelta(days=conf.retention_days))
            self._report(counts)

    def _report(self, counts: Counter[str]) -> None:
        labels = {**dict(State.choices), "lost": "taken over by another worker, or outcome not saved"}
        sent = ", ".join(f"{number} {labels[state]}" for state, number in counts.items())
        health = delivery_health(conf.mode)
        nothing = "Nothing to send." if health.paused_until is None else "Nothing was sent."
        self.stdout.write(sent or " ".join([nothing, *self._organic()]))
        if health.waiting:
            self.stdout.write(f"{health.waiting} waiting for a customer. {CUSTOMER_NOT_REPORTED}")
        if health.paused_until is not None:
            until = f"{health.paused_until:%Y-%m-%d %H:%M:%S %Z}"
            self.stderr.write(f"Delivery is paused until {until}: {health.pause_reason}")
        for text in self._stuck(health):
            self.stderr.write(self.style.ERROR(text))
        is_stopped = health.paused_until is not None and is_anything_due(conf.mode)
        if any(self._stuck(health)) or is_stopped:
            raise SystemExit(1)

    def _stuck(self, health: DeliveryHealth) -> Iterator[str]:
        stuck = {State.FAILED: health.failed, State.ON_HOLD: health.on_hold}
        if any(stuck.values()):
            text = ", ".join(f"{number} {state.label}" for state, number in stuck.items() if number)
            yield f"Messages that need attention: {text}. See the admin."
        if health.source_failures:
            number = health.source_failures
            yield f"Objects that could not be reported: {number}. See Source errors in the admin."

    def _organic(self) -> Iterator[str]:
        """The usual reason why there is nothing to send on a new site."""
        lanes = OutboxLane.objects.filter(mode=conf.mode, status=LaneStatus.ORGANIC)
        number = len(lanes.values_list("pk")[: COUNTED + 1])
        if number == 1:
            yield "1 customer is organic (no partner) and is not reported."
        elif number:
            shown = f"{COUNTED} or more" if number > COUNTED else number
            yield f"{shown} customers are organic (no partner) and are not reported."
