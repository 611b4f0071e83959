"""Everything in one command: PartnerStack in this process, a site of its own, and what they do together."""

from __future__ import annotations

import time
from tempfile import TemporaryDirectory
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from django_partnerstack.sandbox import Sandbox
from example_project.saas.demo.site import environment, running

PROGRAMME = {
    "partnerships": 20,
    "customers": 2000,
    "transactions": 5000,
    "deals": 50,
    "leads": 50,
    "actions": 100,
    "rewards": 500,
    "groups": 3,
}


class Command(BaseCommand):
    help = (
        "Show what django-partnerstack does, with a PartnerStack that runs on this machine and a database of "
        "its own. Needs no keys. Exit status 1 if anything is not as it must be."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--serve", action="store_true", help="Then open the site and its admin, until Ctrl-C."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        began = time.monotonic()
        with (
            TemporaryDirectory(prefix="partnerstack-demo-") as folder,
            Sandbox(**PROGRAMME).serve() as sandbox,
        ):
            self.stdout.write(f"PartnerStack, played by the sandbox of this package, runs at {sandbox.url}.")
            self.stdout.flush()
            env = environment(sandbox.url, folder)
            with running("demo_steps", sandbox.url, env=env) as site:
                if site.wait():
                    raise SystemExit(1)
            self.stdout.write(f"\nAll is as it must be, after {time.monotonic() - began:.0f} seconds.")
