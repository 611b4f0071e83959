"""Webhooks: what changes at PartnerStack is in the site's database a second later."""

from __future__ import annotations

import os
import subprocess
import time

from django_partnerstack.models import Partnership, WebhookEvent, WebhookState, Worker

from . import serving
from .control import Control
from .messages import WORKER
from .output import Output, wait_until
from .site import running

#: Without syncs, so that only a webhook can be the reason.
WITHOUT_SYNCS = {"PARTNERSTACK_SYNC_EVERY": "0"}


def receive(out: Output, partnerstack: Control) -> None:
    out.step("A partner is moved to another group at PartnerStack, and the site knows it a second later.")
    env, port = {**os.environ, **WITHOUT_SYNCS}, serving.free_port()
    site = f"http://127.0.0.1:{port}"
    known = set(Worker.objects.values_list("pk", flat=True))
    out.write(f"$ manage.py runserver {port}\n$ manage.py {' '.join(WORKER)}")
    with serving.web_server(env, port), running(*WORKER, env=env, stdout=subprocess.DEVNULL):
        out.run("partnerstack_webhooks", "register", site)
        wait_until(
            lambda: Worker.objects.filter(stopped_at=None).exclude(pk__in=known).exists(),
            seconds=20,
            otherwise="the worker did not start",
        )
        move(out, partnerstack)
        out.run("partnerstack_webhooks", "status")


def move(out: Output, partnerstack: Control) -> None:
    row = Partnership.objects.filter(missing_since=None).latest("pk")
    groups = [group["key"] for group in partnerstack.objects("groups")]
    group = next(key for key in groups if key != row.group_key)
    partnerstack.change("partnerships", row.key, group_key=group)
    moved_at = time.monotonic()
    wait_until(
        lambda: Partnership.objects.filter(pk=row.pk, group_key=group).exists(),
        seconds=10,
        otherwise="no webhook brought the new group into the mirror",
    )
    seconds = time.monotonic() - moved_at
    out.write(f"{row}: {row.group_key or 'no group'} became {group}, in the mirror {seconds:.1f} s later.")
    wait_until(
        lambda: WebhookEvent.objects.filter(key=row.key, state=WebhookState.DONE).exists(),
        seconds=10,
        otherwise="the event is not done",
    )
