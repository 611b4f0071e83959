from __future__ import annotations

import signal
from collections import Counter
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from django_partnerstack.conf import conf
from django_partnerstack.connection import ConfigurationError
from django_partnerstack.management.arguments import positive
from django_partnerstack.management.site import check_site, database_answers
from django_partnerstack.models import OutboxMessage, State, ThrottleState
from django_partnerstack.outbox.delivery.loop import site_delivery
from django_partnerstack.outbox.queue.retention import prune


class Command(BaseCommand):
    #: Django's others ask the database, and would end in a traceback where it is not there.
    requires_system_checks = ("partnerstack",)
    help = (
        "Send PartnerStack what is due, and print what came of it. Exit status 1 if a message is dead or "
        "held. With --loop it goes on until it is stopped: run it as a service, as often as you like."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--loop", action="store_true", help="Go on until SIGTERM or Ctrl-C.")
        parser.add_argument("--limit", type=positive, metavar="N", help="Send N messages at most.")
        parser.add_argument(
            "--threads",
            type=positive,
            default=4,
            metavar="N",
            help="Messages under way at a time. Default: 4.",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if options["loop"] and options["limit"]:
            raise CommandError("Give --loop or --limit, not both: a loop has no end.")
        check_site(OutboxMessage)
        if not conf.push_enabled:
            raise CommandError(
                "PARTNERSTACK_PUSH_ENABLED is False: messages are queued and held, nothing is sent."
            )
        try:
            worker = site_delivery(threads=options["threads"])
        except ConfigurationError as error:
            raise CommandError(str(error)) from error
        before = {
            number: signal.signal(number, lambda *_: worker.stop())
            for number in (signal.SIGTERM, signal.SIGINT)
        }
        try:
            counts = worker.run(forever=options["loop"], limit=options["limit"])
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
        if not options["loop"]:
            with database_answers():
                self._prune()
                self._report(counts)

    def _prune(self) -> None:
        prune(conf.mode, timezone.now() - timedelta(days=conf.retention_days))

    def _report(self, counts: Counter[str]) -> None:
        labels = {**dict(State.choices), "lost": "taken over by another worker, or not written down"}
        sent = ", ".join(f"{number} {labels[state]}" for state, number in counts.items())
        self.stdout.write(sent or "Nothing was due.")
        line = ThrottleState.objects.filter(mode=conf.mode, paused_until__gt=timezone.now()).first()
        if line is not None:
            self.stderr.write(
                f"Delivery is paused until {line.paused_until:%Y-%m-%d %H:%M:%S %Z}: {line.pause_reason}"
            )
        messages = OutboxMessage.objects.filter(mode=conf.mode)
        stuck = {state: messages.filter(state=state).count() for state in (State.FAILED, State.ON_HOLD)}
        if any(stuck.values()):
            told = " and ".join(f"{number} {state.label}" for state, number in stuck.items() if number)
            self.stderr.write(self.style.ERROR(f"Messages that need attention: {told}. See the admin."))
            raise SystemExit(1)
