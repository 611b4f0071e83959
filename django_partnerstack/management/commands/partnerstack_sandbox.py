"""Run a local PartnerStack."""

from __future__ import annotations

import signal
from threading import Event
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from django_partnerstack.sandbox import (
    PRODUCTION_KEYS,
    PRODUCTION_TRACKING_TOKEN,
    TEST_KEYS,
    TEST_TRACKING_TOKEN,
    Sandbox,
)
from django_partnerstack.sandbox.resources import RESOURCES

READY = """PartnerStack sandbox at {url}, in memory, with {objects}.

PARTNERSTACK_API_URL = "{url}/api/v2"
PARTNERSTACK_CONVERSION_URL = "{url}/conversion/xid"

PARTNERSTACK_MODE = "test"
PARTNERSTACK_PUBLIC_KEY = "{test[0]}"
PARTNERSTACK_SECRET_KEY = "{test[1]}"
PARTNERSTACK_TRACKING_TOKEN = "{test_token}"

PARTNERSTACK_MODE = "production"
PARTNERSTACK_PUBLIC_KEY = "{production[0]}"
PARTNERSTACK_SECRET_KEY = "{production[1]}"
PARTNERSTACK_TRACKING_TOKEN = "{production_token}"

The objects belong to {mode} mode. Link of a partner: {url}/l/{partner}
Partner links lead to {site}

Faults and switches: {url}/_control/
Press Ctrl-C to stop."""


class Command(BaseCommand):
    help = "Run a local PartnerStack with sample objects until you press Ctrl-C."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--host", default="127.0.0.1", help="Address to listen on.")
        parser.add_argument("--port", type=int, default=8765, help="Port to listen on. 0 uses a free port.")
        parser.add_argument("--mode", default="test", help="Mode of the objects: test or production.")
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
                    test=TEST_KEYS,
                    test_token=TEST_TRACKING_TOKEN,
                    production=PRODUCTION_KEYS,
                    production_token=PRODUCTION_TRACKING_TOKEN,
                    mode=sandbox.mode,
                    partner=sandbox.objects("partnerships")[-1]["partner_key"],
                    site=options["site"],
                )
            )
            self.stdout.flush()
            stopped.wait()
