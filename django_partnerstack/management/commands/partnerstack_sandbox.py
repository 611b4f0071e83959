"""Run a local PartnerStack."""

from __future__ import annotations

import signal
from argparse import RawDescriptionHelpFormatter
from textwrap import fill, indent
from threading import Event
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser, DjangoHelpFormatter

from django_partnerstack.sandbox import Sandbox
from django_partnerstack.sandbox.behaviour.switch_texts import parsed, switches
from django_partnerstack.sandbox.endpoints.settings_block import settings_block
from django_partnerstack.sandbox.resources import RESOURCES

READY = """PartnerStack sandbox at {url}, in memory, with {objects}.

{settings}

The objects belong to {mode} mode. Link of a partner: {url}/l/{partner}
Partner links lead to {site}

Objects, effects, webhooks, faults and switches: {url}/
Press Ctrl-C to stop."""


class _HelpFormatter(DjangoHelpFormatter, RawDescriptionHelpFormatter):
    """Django's order of the options, and the list of switches as it is written."""


class Command(BaseCommand):
    help = "Run a local PartnerStack with sample objects until you press Ctrl-C."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--host", default="127.0.0.1", help="Address to listen on.")
        parser.add_argument("--port", type=int, default=8765, help="Port to listen on. 0 uses a free port.")
        parser.add_argument(
            "--mode",
            default="test",
            help="Mode of the objects and of the printed settings: test or production.",
        )
        parser.add_argument("--seed", type=int, default=1, help="Another number gives other objects.")
        parser.add_argument(
            "--site", default="http://127.0.0.1:8000/", help="URL that partner links lead to."
        )
        parser.add_argument(
            "--sites",
            nargs="+",
            default=(),
            metavar="HOST",
            help="Hosts, in addition to this machine, that ?dest= on a partner link may lead to.",
        )
        parser.add_argument(
            "--set",
            action="append",
            default=[],
            metavar="SWITCH=VALUE",
            dest="switches",
            help="Choose another behaviour where PartnerStack's is not documented. Can be repeated.",
        )
        parser.formatter_class = _HelpFormatter
        parser.epilog = _switches()
        for resource in RESOURCES.values():
            parser.add_argument(
                f"--{resource.path}",
                dest=resource.name,
                type=int,
                default=resource.command_count,
                metavar="N",
                help=f"Number of {resource.noun.lower()}s to create. Default: {resource.command_count}.",
            )

    def handle(self, *, host: str, port: int, **options: Any) -> None:
        counts = {name: options[name] for name in RESOURCES}
        choices = {name: options[name] for name in ("mode", "seed", "site", "sites")}
        try:
            sandbox = Sandbox(**choices, **counts)
            sandbox.behaviour.change(**dict(map(_switch, options["switches"])))
            server = sandbox.serve(host, port)
        except (ValueError, OverflowError) as error:
            raise CommandError(str(error)) from error
        except OSError as error:
            reason = error.strerror or error
            raise CommandError(f"Cannot listen on {host}:{port}: {reason}. Choose another --port.") from error
        stopped = Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: stopped.set())
        with server:
            objects = ", ".join(f"{count} {name}" for name, count in counts.items() if count)
            self.stdout.write(
                READY.format(
                    url=server.url,
                    objects=objects,
                    settings=settings_block(server.url, sandbox.mode),
                    mode=sandbox.mode,
                    partner=sandbox.objects("partnerships")[-1]["partner_key"],
                    site=options["site"],
                )
            )
            self.stdout.flush()
            stopped.wait()


def _switch(given: str) -> tuple[str, Any]:
    name, equals, text = given.partition("=")
    if not equals:
        raise ValueError(f"--set takes SWITCH=VALUE, not {given!r}.")
    return name, parsed(name, text)


def _switches() -> str:
    """Every switch, for ``--help``."""
    lines = ["switches for --set, with their defaults:"]
    for switch in switches():
        lines += [f"  {switch.head}", indent(fill(switch.help, 90), " " * 6)]
    return "\n".join(lines)
