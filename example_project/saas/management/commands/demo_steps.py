from __future__ import annotations

from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandParser

from example_project.saas.demo import messages, mirrors
from example_project.saas.demo.control import Control
from example_project.saas.demo.site import end_processes_when_told
from example_project.saas.demo.telling import Telling


class Command(BaseCommand):
    help = "What demo runs on a site of its own. Call demo instead."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("sandbox_url")

    def handle(self, *, sandbox_url: str, **options: Any) -> None:
        end_processes_when_told()
        try:
            show(Telling(self.stdout, self.stderr), Control(sandbox_url))
        except KeyboardInterrupt:
            raise SystemExit(130) from None


def show(tell: Telling, partnerstack: Control) -> None:
    """All steps, on an empty database."""
    call_command("migrate", verbosity=0)
    mirrors.fill(tell, partnerstack)
    mirrors.change(tell, partnerstack)
    first = messages.queue(tell)
    messages.deliver(tell, partnerstack, first)
    messages.count(tell, partnerstack)
