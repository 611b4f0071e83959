"""The whole demo in one command: the sandbox in this process, and a site in another."""

from __future__ import annotations

import time
from tempfile import TemporaryDirectory
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from django_partnerstack.sandbox import Sandbox
from example_project.saas.demo import serving
from example_project.saas.demo.site import environment, interrupt_on_signals, running

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
        "Show what django-partnerstack does, with a PartnerStack sandbox on this machine and a temporary "
        "database. Needs no keys. Exits with status 1 if one of its checks fails."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--serve", action="store_true", help="Then serve the site and its admin until Ctrl-C."
        )

    def handle(self, *, serve: bool, **options: Any) -> None:
        interrupt_on_signals()
        port = serving.free_port()
        partnerstack = Sandbox(**PROGRAMME, site=f"http://127.0.0.1:{port}/")
        # It accepts a payment twice without an error, so that only the site can prevent that.
        partnerstack.behaviour.duplicates = "accepted"
        try:
            with (
                TemporaryDirectory(prefix="partnerstack-demo-") as folder,
                partnerstack.serve() as sandbox,
            ):
                env = environment(sandbox.url, folder)
                self.show(env, sandbox.url)
                if serve:
                    partner = approved_partner(partnerstack)
                    serving.serve(self.stdout, env, sandbox.url, port=port, partner=partner)
                else:
                    self.stdout.write(
                        "To see the result in the admin, run: python example_project/manage.py demo --serve"
                    )
        except KeyboardInterrupt:
            raise SystemExit(130) from None

    def show(self, env: dict[str, str], sandbox_url: str) -> None:
        began = time.monotonic()
        self.stdout.write(f"The sandbox simulates PartnerStack at {sandbox_url}.")
        self.stdout.flush()
        with running("demo_steps", sandbox_url, env=env) as site:
            if site.wait():
                raise SystemExit(1)
        self.stdout.write(f"\nAll checks passed in {time.monotonic() - began:.0f} seconds.")


def approved_partner(partnerstack: Sandbox) -> str:
    partners = partnerstack.objects("partnerships")
    return next(
        partner["partner_key"]
        for partner in partners
        if partner["approved_status"] == "approved" and partner["partner_key"] != "gstest"
    )
