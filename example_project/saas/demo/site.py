"""The demo's own site: its environment and its processes."""

from __future__ import annotations

import os
import secrets
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import example_project
from django_partnerstack.sandbox import TEST_KEYS

MANAGE = Path(example_project.__file__).with_name("manage.py")

#: Seconds until a process that does not end is killed.
PATIENCE = 10


def environment(sandbox_url: str, folder: str) -> dict[str, str]:
    """The environment of a fresh site that uses the sandbox, without your own PARTNERSTACK_… variables."""
    yours = {name: value for name, value in os.environ.items() if not name.startswith("PARTNERSTACK_")}
    public_key, secret_key = TEST_KEYS
    return yours | {
        "DJANGO_SETTINGS_MODULE": "example_project.settings",
        "DATABASE_URL": f"sqlite:///{Path(folder, 'demo.sqlite3').as_posix()}",
        "DEBUG": "true",
        "SERVER_LOG_LEVEL": "ERROR",
        "ALLOWED_HOSTS": "127.0.0.1,localhost",
        "PARTNERSTACK_API_URL": f"{sandbox_url}/api/v2",
        "PARTNERSTACK_CONVERSION_URL": f"{sandbox_url}/conversion/xid",
        "PARTNERSTACK_MODE": "test",
        "PARTNERSTACK_PUBLIC_KEY": public_key,
        "PARTNERSTACK_SECRET_KEY": secret_key,
        "PARTNERSTACK_WEBHOOK_SECRETS": secrets.token_urlsafe(32),
        # Its first worker starts after its web server.
        "SILENCED_SYSTEM_CHECKS": "partnerstack.W052",
        # No proxy reaches the sandbox.
        "NO_PROXY": "127.0.0.1,localhost",
        "no_proxy": "127.0.0.1,localhost",
    }


@contextmanager
def running(
    *command: str, env: Mapping[str, str] | None = None, stdout: int | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a command of manage.py in another process, which ends with the ``with`` block."""
    process = subprocess.Popen([sys.executable, str(MANAGE), *command], env=env, stdout=stdout)
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def interrupt_on_signals() -> None:
    """
    Let the first Ctrl-C or SIGTERM raise KeyboardInterrupt, and ignore later signals.

    A terminal sends the signal to all processes of the demo, which also end each other: a second signal must
    not interrupt the clean-up after the first.
    """
    numbers = (signal.SIGINT, signal.SIGTERM)

    def stop(*_: Any) -> None:
        for number in numbers:
            signal.signal(number, signal.SIG_IGN)
        raise KeyboardInterrupt

    for number in numbers:
        signal.signal(number, stop)
