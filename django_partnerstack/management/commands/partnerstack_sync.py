from __future__ import annotations

import json
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
from django_partnerstack.management.output import printing
from django_partnerstack.management.preconditions import in_one_line, require_mode_and_table
from django_partnerstack.management.progress import Progress, as_json, table
from django_partnerstack.models import SyncState
from django_partnerstack.resources import RESOURCES

CONTINUE = "All stored pages are kept; run the command again to continue."


class Command(BaseCommand):
    #: Other checks query the database and would end in a traceback if it cannot be reached.
    requires_system_checks = ("partnerstack",)
    help = (
        "Update this site's copy of the partner programme with what changed at PartnerStack since the last "
        "run, or with everything (--full). Exits with status 1 if any resource could not be synced. "
        "Safe to interrupt and to repeat."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        names = f"What to sync: one or more of {', '.join(RESOURCES)}. Default: all."
        parser.add_argument("resources", nargs="*", metavar="RESOURCE", help=names)
        full = "Read everything, and mark what PartnerStack no longer has as missing."
        parser.add_argument("--full", action="store_true", help=full)
        since = "Read what changed since WHEN: 2026-01-31, 2026-01-31T12:00, or an age such as 36h or 7d."
        parser.add_argument("--since", type=time_or_age, metavar="WHEN", help=since)
        parser.add_argument("--dry-run", action="store_true", help="Show what would change, without writing.")
        workers = "Resources synced at a time. Default: 1."
        parser.add_argument("--workers", type=positive_int, default=1, metavar="N", help=workers)
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
        with printing(self.stdout):
            self._report(pulled, as_data=options["json"])
        problems = [*filter(None, map(problem, pulled)), *self._mode_problem()]
        if problems:
            raise CommandError("\n".join(problems))

    def _pull(
        self, names: list[str], client: Client, progress: Progress, options: dict[str, Any]
    ) -> list[sync.Pulled]:
        results = sync.pull_all(
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
            raise CommandError(f"Stopped. {CONTINUE}", returncode=130) from None
        except DatabaseError as error:
            raise CommandError(f"Database error: {in_one_line(error)}. {CONTINUE}") from error

    def _names(self, given: list[str]) -> list[str]:
        for name in given:
            if name not in RESOURCES:
                raise CommandError(f"There is no resource {name!r}. Choose from {', '.join(RESOURCES)}.")
        return [name for name in RESOURCES if not given or name in given]

    def _report(self, pulled: list[sync.Pulled], *, as_data: bool) -> None:
        if as_data:
            self.stdout.write(json.dumps([as_json(result) for result in pulled], indent=2))
        else:
            self.stdout.write(table(pulled))
        for result in pulled:
            for reason in result.reasons:
                self.stderr.write(f"{result.resource}: {reason}")

    def _mode_problem(self) -> Iterator[str]:
        other = SyncState.objects.using(router.db_for_write(SyncState)).mode_mismatch(conf.mode)
        if other:
            yield (
                f"PARTNERSTACK_MODE is {conf.mode!r}, but PartnerStack returns {other.label} data, so "
                f"these are the {other.label} keys. Change the keys or the mode."
            )


def problem(pulled: sync.Pulled) -> str | None:
    """Why a resource could not be synced completely, in one line. None if it was."""
    error = pulled.error
    if isinstance(error, AuthenticationFailed):
        return (
            "PartnerStack rejected your API keys. Correct PARTNERSTACK_PUBLIC_KEY and "
            f"PARTNERSTACK_SECRET_KEY: {error}"
        )
    if isinstance(error, NotSent):
        return f"PartnerStack cannot be reached; check the network and PARTNERSTACK_API_URL: {error}"
    if error:
        return f"{pulled.resource}: {error}"
    if pulled.unusable:
        return f"{pulled.resource}: unusable objects: {pulled.unusable:,}. All others are stored."
    return None
