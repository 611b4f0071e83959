from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import Error as DatabaseError
from django.db import models
from tqdm import tqdm

from django_partnerstack.conf import conf
from django_partnerstack.management.preconditions import in_one_line, require_mode_and_table
from django_partnerstack.models import OutboxMessage
from django_partnerstack.outbox.backfill import Backfilled, backfill
from django_partnerstack.outbox.site_objects import reported_models

CONTINUE = "Queued messages are kept; run the command again to continue."


class Command(BaseCommand):
    #: Other apps' checks may query the database, and end in a traceback if it cannot be reached.
    requires_system_checks = ("partnerstack",)
    help = (
        "Queue the objects of the site that were never queued, such as objects from before this app was "
        "installed, and customers that were changed in bulk or by SQL. Objects whose source failed are tried "
        "again. Customers first, then their transactions. Exits with status 1 if a source "
        "failed. Safe to stop and to repeat."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "models", nargs="*", metavar="MODEL", help="Such as shop.Payment. Default: all registered models."
        )
        parser.add_argument(
            "--dry-run", action="store_true", help="Count what would be queued, queue nothing."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        chosen = self._chosen(options["models"])
        require_mode_and_table(OutboxMessage)
        try:
            failed = sum(self._backfill(model, dry_run=options["dry_run"]).failed for model in chosen)
        except KeyboardInterrupt:
            raise CommandError(f"Stopped. {CONTINUE}", returncode=130) from None
        except DatabaseError as error:
            raise CommandError(f"The database failed: {in_one_line(error)}. {CONTINUE}") from error
        if failed:
            raise SystemExit(1)

    def _chosen(self, labels: list[str]) -> list[type[models.Model]]:
        registered = {model._meta.label_lower: model for model in reported_models()}
        if not registered:
            raise CommandError(
                "No model has a source. Register sources in a module partnerstack.py of your app."
            )
        for label in labels:
            if label.lower() not in registered:
                names = ", ".join(model._meta.label for model in registered.values())
                raise CommandError(f"There is no source for {label!r}. Choose from {names}.")
        wanted = {label.lower() for label in labels} or registered.keys()
        return [model for label, model in registered.items() if label in wanted]

    def _backfill(self, model: type[models.Model], *, dry_run: bool) -> Backfilled:
        label, total = model._meta.label, model._base_manager.count()
        quiet = not self.stderr.isatty()
        with tqdm(total=total, desc=label, unit=" objects", disable=quiet, leave=False) as bar:
            done = backfill(
                model, mode=conf.mode, dry_run=dry_run, on_page=lambda done: bar.update(done.seen - bar.n)
            )
        self._report(done, dry_run=dry_run)
        return done

    def _report(self, done: Backfilled, *, dry_run: bool) -> None:
        counts = {
            "would be queued" if dry_run else "queued": done.queued,
            "changed": done.changed,
            "known": done.known,
            "not reported": done.skipped.total(),
            "failed": done.failed,
        }
        if done.differing:
            counts["differing"] = done.differing
        if done.forgotten:
            counts["forgotten"] = done.forgotten
        text = ", ".join(f"{number:,} {what}" for what, number in counts.items())
        self.stdout.write(f"{done.model._meta.label}: {text}")
        for reason, number in done.skipped.most_common():
            self.stdout.write(f"  {number:,} not reported: {reason}")
        self._list("differs from what was reported", done.differences, done.differing)
        self._list("failed", done.failures, done.failed)

    def _list(self, what: str, lines: list[str], number: int) -> None:
        for line in lines:
            self.stderr.write(f"  {what}: {line}")
        if number > len(lines):
            self.stderr.write(f"  … and {number - len(lines):,} more")
