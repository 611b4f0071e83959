"""The demo's site, open in a browser: its pages, and the admin with all that has happened."""

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
from .site import MANAGE, running
from .telling import must, wait_until

PORT = 8000
OPEN = """
The site        http://127.0.0.1:{port}/
A partner link  {sandbox_url}/l/{partner}
Its admin       http://127.0.0.1:{port}/admin/    user: admin    password: {password}
The sandbox     {sandbox_url}/_control/

Click the link, look around, sign up and pay: the sign-up is {partner}'s, also at PartnerStack. A worker is
running too, and what you do on the site shows in the admin within seconds. Ctrl-C ends it all."""


def serve(out: OutputWrapper, env: Mapping[str, str], sandbox_url: str, *, port: int, partner: str) -> None:
    """
    Until Ctrl-C, or until the site ends by itself. The sandbox's links lead to this port.

    The account has server-to-server tracking here, so that a click becomes a conversion.
    """
    password = secrets.token_urlsafe(9)
    env = {**env, "PARTNERSTACK_TRACKING_TOKEN": TEST_TRACKING_TOKEN}
    make_admin(env, password)
    site = ("runserver", "--noreload", f"127.0.0.1:{port}")
    with running(*site, env=env, stdout=subprocess.DEVNULL) as server, running(*WORKER, env=env):
        wait_until(
            lambda: server.poll() is not None or is_taken(port),
            seconds=20,
            otherwise="the site did not start",
        )
        must(server.poll() is None, "the site ended at once")
        out.write(OPEN.format(port=port, password=password, sandbox_url=sandbox_url, partner=partner))
        out.flush()
        with suppress(KeyboardInterrupt):
            server.wait()


def make_admin(env: Mapping[str, str], password: str) -> None:
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
    """The usual one, or any."""
    with socket.socket() as trial:
        trial.bind(("127.0.0.1", 0 if is_taken(PORT) else PORT))
        return trial.getsockname()[1]


def is_taken(port: int) -> bool:
    with socket.socket() as trial:
        trial.settimeout(1)
        return trial.connect_ex(("127.0.0.1", port)) == 0
