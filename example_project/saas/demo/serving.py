"""``demo --serve``: the demo's site for a browser, with its admin and a worker."""

from __future__ import annotations

import secrets
import socket
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress

from django.core.management.base import OutputWrapper

from django_partnerstack.sandbox import TEST_TRACKING_TOKEN

from .messages import WORKER
from .output import check, wait_until
from .site import MANAGE, running

PORT = 8000
OPEN = """
The site        http://127.0.0.1:{port}/
A partner link  {sandbox_url}/l/{partner}
Its admin       http://127.0.0.1:{port}/admin/    user: admin    password: {password}
The sandbox     {sandbox_url}/_control/

Click the link, look around, sign up and pay: PartnerStack attributes the sign-up to {partner}. A worker is
running, so what you do on the site is delivered within seconds, and what changes in the sandbox is synced
every {every} seconds, as the admin shows. Press Ctrl-C to stop."""
#: Seconds between two syncs, so that nobody has to wait.
EVERY = "10"


def serve(out: OutputWrapper, env: Mapping[str, str], sandbox_url: str, *, port: int, partner: str) -> None:
    """
    Run the site until Ctrl-C, or until it ends by itself. The sandbox's partner links lead to ``port``.

    A tracking token is set, so that a click becomes a conversion.
    """
    password = secrets.token_urlsafe(9)
    env = {**env, "PARTNERSTACK_TRACKING_TOKEN": TEST_TRACKING_TOKEN, "PARTNERSTACK_SYNC_EVERY": EVERY}
    create_admin(env, password)
    site = ("runserver", "--noreload", f"127.0.0.1:{port}")
    with (
        running(*site, env=env, stdout=subprocess.DEVNULL) as server,
        running(*WORKER, env=env, stdout=subprocess.DEVNULL),
    ):
        wait_until(
            lambda: server.poll() is not None or is_taken(port),
            seconds=20,
            otherwise="the site did not start",
        )
        check(server.poll() is None, "the site ended at once")
        addresses = {"port": port, "sandbox_url": sandbox_url}
        out.write(OPEN.format(**addresses, password=password, partner=partner, every=EVERY))
        out.flush()
        with suppress(KeyboardInterrupt):
            server.wait()


def create_admin(env: Mapping[str, str], password: str) -> None:
    command = (
        "createsuperuser",
        "--noinput",
        "--username=admin",
        "--email=admin@example.com",
        "--verbosity=0",
    )
    subprocess.run(
        [sys.executable, str(MANAGE), *command],
        env={**env, "DJANGO_SUPERUSER_PASSWORD": password},
        check=True,
    )


def free_port() -> int:
    """The usual port, or any other if it is taken."""
    with socket.socket() as trial:
        # As runserver binds: connections that ended a moment ago do not keep a port.
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind(("127.0.0.1", 0 if is_taken(PORT) else PORT))
        except OSError:
            # Another process bound it in between.
            trial.bind(("127.0.0.1", 0))
        return trial.getsockname()[1]


def is_taken(port: int) -> bool:
    with socket.socket() as trial:
        trial.settimeout(1)
        return trial.connect_ex(("127.0.0.1", port)) == 0
