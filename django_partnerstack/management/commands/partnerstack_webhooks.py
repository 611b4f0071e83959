from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from threading import Event
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db.models import Q
from django.utils import timezone
from django.utils.timesince import timesince

from django_partnerstack.client import Client
from django_partnerstack.conf import conf
from django_partnerstack.connection import ConfigurationError, get_client
from django_partnerstack.exceptions import EndpointError
from django_partnerstack.insight.status import read_workers
from django_partnerstack.management.arguments import positive_int, time_or_age
from django_partnerstack.management.preconditions import database_errors_in_one_line, require_mode_and_table
from django_partnerstack.models import WebhookEvent, WebhookState
from django_partnerstack.throttle.throttle import site_throttle
from django_partnerstack.webhooks import endpoints, samples
from django_partnerstack.webhooks.normalise import EVENTS
from django_partnerstack.webhooks.process import process_events
from django_partnerstack.webhooks.queue import events, process_again
from django_partnerstack.webhooks.status import status


class Command(BaseCommand):
    #: Other apps' checks may query the database, and end in a traceback if it cannot be reached.
    requires_system_checks = ("partnerstack",)
    help = "Register this site's URL for webhooks at PartnerStack, and see or repeat what it received."

    def add_arguments(self, parser: CommandParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")

        def action(name: str, description: str) -> CommandParser:
            added: CommandParser = actions.add_parser(name, help=description, description=description)
            return added

        register = action("register", "Let PartnerStack deliver events to this site. Safe to repeat.")
        register.add_argument("url", metavar="URL", help="The site, such as https://www.example.com.")
        register.add_argument(
            "--events", nargs="+", default=EVENTS, metavar="EVENT", help="Default: all that the app reads."
        )
        field = "The name of the URL's field at PartnerStack: target_url (default) or target."
        register.add_argument(
            "--url-field", choices=("target_url", "target"), default="target_url", help=field
        )
        action("list", "Show the endpoints that PartnerStack has. Secrets are masked.")
        remove = action("remove", "Remove this site's endpoints from PartnerStack.")
        remove.add_argument("keys", nargs="*", metavar="KEY", help="Remove these endpoints instead.")
        action("status", "Show what was received, and when.")
        replay = action("replay", "Let the worker process events again.")
        replay.add_argument("ids", nargs="*", type=positive_int, metavar="ID", help="Events by their ids.")
        since = "Events that were received since WHEN: 2026-01-31, 2026-01-31T12:00, 36h or 7d."
        replay.add_argument("--since", type=time_or_age, metavar="WHEN", help=since)
        replay.add_argument("--failed", action="store_true", help="Only failed events.")
        trigger = action("trigger", "Post a sample to this site's own URL, as PartnerStack would.")
        trigger.add_argument("event", metavar="EVENT", help="Such as partnership.updated.")
        trigger.add_argument("--key", default="", metavar="K", help="Default: the object that changed last.")
        trigger.add_argument("--url", default="", help="Post over the network, to the site at this URL.")
        process = action("process", "Process the events that are due, once. The worker does it all the time.")
        process.add_argument(
            "--limit", type=positive_int, default=1000, metavar="N", help="At most N events."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        require_mode_and_table(WebhookEvent)
        try:
            with database_errors_in_one_line():
                getattr(self, options["action"])(options)
        except (EndpointError, ConfigurationError) as error:
            problem = str(error)
        else:
            return
        # Outside of the except clause: the frames of the error are not part of this one.
        raise CommandError(problem)

    def register(self, options: dict[str, Any]) -> None:
        with get_client() as client:
            done = endpoints.register(
                client, options["url"], events=options["events"], url_field=options["url_field"]
            )
            self.stdout.write(
                f"The endpoint {done.endpoint.key} was {done.change}.".replace("was un", "is un")
            )
            for key in done.removed:
                self.stdout.write(f"The endpoint {key} was removed: it led to this site as well.")
            self._list(client)

    def list(self, options: dict[str, Any]) -> None:
        with get_client() as client:
            self._list(client)

    def _list(self, client: Client) -> None:
        found = endpoints.endpoints(client)
        if not found:
            self.stdout.write("PartnerStack has no endpoints.")
        for endpoint in found:
            own = "  (this site)" if endpoint.is_own else ""
            self.stdout.write(f"{endpoint.key}  {endpoint.url}{own}")
            self.stdout.write(f"    {', '.join(endpoint.events)}")

    def remove(self, options: dict[str, Any]) -> None:
        with get_client() as client:
            removed = endpoints.remove(client, options["keys"])
        for endpoint in removed:
            self.stdout.write(f"Removed {endpoint.key}: {endpoint.url}")
        if not removed:
            self.stdout.write("PartnerStack has no endpoint of this site.")

    def status(self, options: dict[str, Any]) -> None:
        found = status(conf.mode)
        if found.last_received_at is None:
            self.stdout.write(f"Nothing was received in {conf.mode} mode.")
        else:
            last = f"{found.last_received_at:%Y-%m-%d %H:%M:%S %Z}"
            self.stdout.write(f"Silent since {last}, for {timesince(found.last_received_at)}.")
        width = max((len(each.event) for each in found.received), default=0)
        for each in found.received:
            name = (each.event or "(no name)").ljust(max(width, 9))
            times = f"{each.number} received ({each.times} times)" if each.times > each.number else ""
            texts = [times or f"{each.number} received", f"last {each.last_received_at:%Y-%m-%d %H:%M:%S}"]
            texts += [f"{each.waiting} waiting"] if each.waiting else []
            texts += [f"{each.failed} failed"] if each.failed else []
            self.stdout.write(f"  {name}  {', '.join(texts)}")
        if found.waiting_since:
            self.stdout.write(f"The oldest waiting event was received {timesince(found.waiting_since)} ago.")
            if not read_workers(conf.mode, timezone.now()).running:
                self.stdout.write("No partnerstack_worker runs.")
        for reason, number in found.refused.items():
            self.stdout.write(f"Refused with a correct secret, and not stored: {number} {reason}.")

    def replay(self, options: dict[str, Any]) -> None:
        ids, since, failed = options["ids"], options["since"], options["failed"]
        if not (ids or since or failed):
            raise CommandError("Give the ids of events, --since WHEN or --failed.")
        which = Q(mode=conf.mode)
        which &= Q(pk__in=ids) if ids else Q()
        which &= Q(last_received_at__gte=since) if since else Q()
        which &= Q(state=WebhookState.FAILED) if failed else Q()
        chosen = events().filter(which)
        unknown = set(ids) - set(chosen.values_list("pk", flat=True))
        if unknown and not (since or failed):
            raise CommandError(f"There is no event {join(unknown)} in {conf.mode} mode.")
        number = process_again(chosen, now=timezone.now())
        self.stdout.write(f"The worker processes {number} event{'' if number == 1 else 's'} again.")

    def trigger(self, options: dict[str, Any]) -> None:
        delivery = samples.sample(options["event"], options["key"], now=timezone.now())
        code = samples.post(delivery, options["url"])
        key = delivery["data"].get("key", "")
        about = f" about {key}" if key else ""
        if code != 200:
            raise CommandError(
                f"The site answered {options['event']}{about} with HTTP {code} instead of 200."
            )
        self.stdout.write(f"Delivered {options['event']}{about}: HTTP 200. The worker processes it.")

    def process(self, options: dict[str, Any]) -> None:
        throttle, stop = site_throttle(conf.mode), Event()
        with get_client() as client, stopped_by_ctrl_c():
            number = process_events(
                conf.mode,
                client=client,
                clock=throttle.clock,
                acquire_slot=lambda: throttle.acquire_slot(stop.wait),
                stop=stop,
                limit=options["limit"],
            )
        self.stdout.write(f"{number} event{'' if number == 1 else 's'} processed.")
        waiting = events().filter(mode=conf.mode, state=WebhookState.RECEIVED).exclude(reason="")
        for event in waiting.order_by("pk")[:10]:
            self.stderr.write(conf.without_keys(f"{event.pk} {event}: waits: {event.reason}"))


@contextmanager
def stopped_by_ctrl_c() -> Iterator[None]:
    try:
        yield
    except KeyboardInterrupt:
        raise CommandError("Stopped. What was not processed is due again soon.", returncode=130) from None


def join(ids: Iterable[int]) -> str:
    return ", ".join(map(str, sorted(ids)))
