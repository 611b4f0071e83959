from __future__ import annotations

from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandParser

from example_project.saas.demo import messages, mirrors, webhooks
from example_project.saas.demo.control import Control
from example_project.saas.demo.output import Output
from example_project.saas.demo.site import interrupt_on_signals


class Command(BaseCommand):
    help = "Used by demo, which runs this with the settings of its own site. Run demo instead."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("sandbox_url")

    def handle(self, *, sandbox_url: str, **options: Any) -> None:
        interrupt_on_signals()
        try:
            show(Output(self.stdout, self.stderr), Control(sandbox_url))
        except KeyboardInterrupt:
            raise SystemExit(130) from None


def show(out: Output, partnerstack: Control) -> None:
    """Run all steps on an empty database."""
    call_command("migrate", verbosity=0)
    mirrors.fill(out, partnerstack)
    mirrors.change(out, partnerstack)
    first = messages.queue(out)
    messages.deliver(out, partnerstack, first)
    messages.count(out, partnerstack)
    webhooks.receive(out, partnerstack)
