from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import Error as DatabaseError
from django.db import router

from django_partnerstack import sync
from django_partnerstack.client import Client
from django_partnerstack.conf import conf
from django_partnerstack.connection import ConfigurationError, get_client
from django_partnerstack.exceptions import AuthenticationFailed, NotSent
from django_partnerstack.management.arguments import positive_int, time_or_age
from django_partnerstack.management.preconditions import in_one_line, require_mode_and_table
from django_partnerstack.management.progress import Progress, as_json, table
from django_partnerstack.models import SyncState

NAMES = ", ".join(sync.RESOURCES)


class Command(BaseCommand):
    #: Django's others ask the database, and would end in a traceback where it is not there.
    requires_system_checks = ("partnerstack",)
    help = (
        "Bring the mirrors of the partner programme up to date. Reads what changed since the last run, or "
        "everything with --full. Exit status 0 only if the mirrors are complete. Safe to stop and to repeat."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "resources",
            nargs="*",
            metavar="RESOURCE",
            help=f"One or more of {', '.join(sync.RESOURCES)}. Default: all.",
        )
        parser.add_argument(
            "--full", action="store_true", help="Read everything, and mark what is no longer at PartnerStack."
        )
        parser.add_argument(
            "--since",
            type=time_or_age,
            metavar="WHEN",
            help="Read what changed since WHEN: 2026-01-31, 2026-01-31T12:00, or an age such as 36h or 7d.",
        )
        parser.add_argument("--dry-run", action="store_true", help="Show what would change, write nothing.")
        parser.add_argument(
            "--workers", type=positive_int, default=1, metavar="N", help="Resources at a time. Default: 1."
        )
        parser.add_argument("--json", action="store_true", help="Print the result as JSON.")

    def handle(self, *args: Any, **options: Any) -> None:
        names = self._names(options["resources"])
        if options["full"] and options["since"]:
            raise CommandError("Give --full or --since, not both: --full reads everything.")
        require_mode_and_table(SyncState)
        try:
            client = get_client()
        except ConfigurationError as error:
            raise CommandError(str(error)) from error
        with client, Progress(self.stderr, quiet=options["json"]) as progress:
            pulled = self._pull(names, client, progress, options)
        try:
            self._report(pulled, as_data=options["json"])
            self.stdout.flush()
        except BrokenPipeError:
            # Or Python complains at its end of what it could not write.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise CommandError("Nobody reads the result. What was stored stays.") from None
        problems = [*filter(None, map(problem, pulled)), *self._mode_problem()]
        if problems:
            raise CommandError("\n".join(problems))

    def _pull(
        self, names: list[str], client: Client, progress: Progress, options: dict[str, Any]
    ) -> list[sync.Pulled]:
        results = sync.run(
            names,
            workers=options["workers"],
            on_page=progress.page,
            client=client,
            mode=conf.mode,
            full=options["full"],
            since=options["since"],
            dry_run=options["dry_run"],
        )
        try:
            return [progress.done(result) for result in results]
        except KeyboardInterrupt:
            raise CommandError(
                "Stopped. What was stored stays; run again to go on.", returncode=130
            ) from None
        except DatabaseError as error:
            raise CommandError(
                f"The database failed: {in_one_line(error)}. What was stored stays; run again to go on."
            ) from error

    def _names(self, given: list[str]) -> list[str]:
        for name in given:
            if name not in sync.RESOURCES:
                raise CommandError(f"There is no resource {name!r}. Choose from {NAMES}.")
        return [name for name in sync.RESOURCES if not given or name in given]

    def _report(self, pulled: list[sync.Pulled], *, as_data: bool) -> None:
        if as_data:
            self.stdout.write(json.dumps([as_json(result) for result in pulled], indent=2))
        else:
            self.stdout.write(table(pulled))
        for result in pulled:
            for reason in result.reasons:
                self.stderr.write(f"{result.resource}: {reason}")

    def _mode_problem(self) -> Iterator[str]:
        seen = SyncState.objects.using(router.db_for_write(SyncState)).mode_mismatch(conf.mode)
        if seen:
            yield (
                f"PARTNERSTACK_MODE is {conf.mode!r}, but only {seen.label} data came back: "
                f"these are the {seen.label} keys. Change the keys or the mode."
            )


def problem(pulled: sync.Pulled) -> str | None:
    """Why the mirror of a resource is not complete, in one line that says what to do."""
    error = pulled.error
    if isinstance(error, AuthenticationFailed):
        return f"PartnerStack refuses the key pair of PARTNERSTACK_PUBLIC_KEY and _SECRET_KEY: {error}"
    if isinstance(error, NotSent):
        return f"PartnerStack cannot be reached; check the network and PARTNERSTACK_API_URL: {error}"
    if error:
        return f"{pulled.resource}: {error}"
    if pulled.unusable:
        return f"{pulled.resource}: {pulled.unusable:,} objects cannot be used; the rest is stored."
    return None
