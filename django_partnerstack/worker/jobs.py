"""The jobs that a site's settings ask for."""

from __future__ import annotations

from threading import Event

from ..conf import conf
from ..models.worker import SYNC
from ..outbox.push import worker
from ..throttle.clock import Clock
from ..webhooks import process
from .job import Job, Poller, Say
from .syncing import next_due, sync_due

#: Seconds between two looks at the states of the syncs, and at the webhook events. With the delivery, which
#: looks once a second, an idle worker sends two queries a second at most.
SYNC_POLL, WEBHOOK_POLL = 30.0, 1.5


def site_jobs(*, threads: int = 4, clock: Clock | None = None) -> list[Job]:
    """All jobs that are not turned off. ``threads``: messages that are sent at the same time."""
    clock = clock or Clock()
    sync = Poller(sync_due, next_due, poll=min(SYNC_POLL, conf.sync_every), clock=clock)
    webhooks = Poller(process.process_events, process.next_due, poll=WEBHOOK_POLL, clock=clock)
    jobs = [
        (conf.push_enabled, delivery(threads=threads)),
        (conf.usable_webhook_secrets, Job("webhooks", webhooks.run)),
        (conf.sync_every, Job(SYNC, sync.run)),
    ]
    return [job for is_wanted, job in jobs if is_wanted]


def delivery(*, threads: int = 4) -> Job:
    """Sends the messages that are due. A request in flight is finished before the job ends."""

    def run(stopping: Event, say: Say) -> None:
        say("sending what is due")
        worker(threads=threads, stopping=stopping).run(forever=True)

    return Job("delivery", run, seconds_to_end=float(conf.connect_timeout) + float(conf.read_timeout))
