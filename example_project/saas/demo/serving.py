"""``demo --serve``: the demo's site for a browser, with its admin and a worker."""

from __future__ import annotations

import secrets
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress

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
running, so what you do on the site is delivered within seconds. What you change in the sandbox is in the
site's database a second later, by a webhook; a sync finds what has no webhook every {every} seconds.
The admin shows both. Press Ctrl-C to stop."""
#: Seconds between two syncs, so that nobody has to wait.
EVERY = "10"
ADMIN = ("createsuperuser", "--noinput", "--username=admin", "--email=admin@example.com", "--verbosity=0")


def serve(out: OutputWrapper, env: Mapping[str, str], sandbox_url: str, *, port: int, partner: str) -> None:
    """
    Run the site until Ctrl-C, or until it ends by itself. The sandbox's partner links lead to ``port``.

    A tracking token is set, so that a click becomes a conversion.
    """
    password = secrets.token_urlsafe(9)
    env = {**env, "PARTNERSTACK_TRACKING_TOKEN": TEST_TRACKING_TOKEN, "PARTNERSTACK_SYNC_EVERY": EVERY}
    manage(env, *ADMIN, DJANGO_SUPERUSER_PASSWORD=password)
    with web_server(env, port) as server, running(*WORKER, env=env, stdout=subprocess.DEVNULL):
        manage(env, "partnerstack_webhooks", "register", f"http://127.0.0.1:{port}")
        addresses = {"port": port, "sandbox_url": sandbox_url}
        out.write(OPEN.format(**addresses, password=password, partner=partner, every=EVERY))
        out.flush()
        with suppress(KeyboardInterrupt):
            server.wait()


@contextmanager
def web_server(env: Mapping[str, str], port: int) -> Iterator[subprocess.Popen[bytes]]:
    """The site's web server in another process. It accepts connections within the ``with`` block."""
    command = ("runserver", "--noreload", f"127.0.0.1:{port}")
    with running(*command, env=env, stdout=subprocess.DEVNULL) as server:
        wait_until(
            lambda: server.poll() is not None or is_taken(port),
            seconds=20,
            otherwise="the site did not start",
        )
        check(server.poll() is None, "the site ended at once")
        yield server


def manage(env: Mapping[str, str], *command: str, **variables: str) -> None:
    """Run a command of the site without its output."""
    subprocess.run(
        [sys.executable, str(MANAGE), *command],
        env={**env, **variables},
        check=True,
        stdout=subprocess.DEVNULL,
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
