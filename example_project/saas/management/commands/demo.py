"""Everything in one command: PartnerStack in this process, a site of its own, and what they do together."""

from __future__ import annotations

import time
from tempfile import TemporaryDirectory
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from django_partnerstack.sandbox import Sandbox
from example_project.saas.demo import serving
from example_project.saas.demo.site import end_processes_when_told, environment, running

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

    def handle(self, *, serve: bool, **options: Any) -> None:
        end_processes_when_told()
        port = serving.free_port()
        partnerstack = Sandbox(**PROGRAMME, site=f"http://127.0.0.1:{port}/")
        # It takes the same payment twice without a word, so that only the site can prevent it.
        partnerstack.behaviour.duplicates = "accepted"
        try:
            with (
                TemporaryDirectory(prefix="partnerstack-demo-") as folder,
                partnerstack.serve() as sandbox,
            ):
                env = environment(sandbox.url, folder)
                self.show(env, sandbox.url)
                if serve:
                    partner = an_approved_partner(partnerstack)
                    serving.serve(self.stdout, env, sandbox.url, port=port, partner=partner)
                else:
                    self.stdout.write(
                        "To look at it in the admin: python example_project/manage.py demo --serve"
                    )
        except KeyboardInterrupt:
            raise SystemExit(130) from None

    def show(self, env: dict[str, str], sandbox_url: str) -> None:
        began = time.monotonic()
        self.stdout.write(f"PartnerStack, played by the sandbox of this package, runs at {sandbox_url}.")
        self.stdout.flush()
        with running("demo_steps", sandbox_url, env=env) as site:
            if site.wait():
                raise SystemExit(1)
        self.stdout.write(f"\nAll is as it must be, after {time.monotonic() - began:.0f} seconds.")


def an_approved_partner(partnerstack: Sandbox) -> str:
    partners = partnerstack.objects("partnerships")
    return next(
        partner["partner_key"]
        for partner in partners
        if partner["approved_status"] == "approved" and partner["partner_key"] != "gstest"
    )
