"""The site of ``demo --serve``, in a process of its own."""

from __future__ import annotations

import signal
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from django_partnerstack.sandbox import Sandbox
from example_project.saas.demo import serving
from example_project.saas.demo.output import wait_until
from example_project.saas.demo.site import MANAGE, environment

from .visitors import Visitor

pytestmark = pytest.mark.xdist_group("served")

SERVE = """
import os, sys, django
django.setup()
from django.core.management.base import OutputWrapper
from example_project.saas.demo import serving, site
site.interrupt_on_signals()
serving.serve(OutputWrapper(sys.stdout), os.environ, sys.argv[1], port=int(sys.argv[2]), partner="gstest")
"""


@contextmanager
def held_port() -> Iterator[int]:
    """
    A port for the site, which the system chose: the usual one may be that of another run of the tests.

    It stays bound, so that the system gives it to nobody else. On Linux the site can listen on it too.
    """
    with socket.socket() as held:
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        held.bind(("127.0.0.1", 0))
        chosen = held.getsockname()[1]
        if sys.platform != "linux":
            held.close()
        yield chosen


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("served")


@pytest.fixture(scope="module")
def served(folder: Path) -> Iterator[tuple[Sandbox, str]]:
    """The sandbox, and what the demo prints. The site takes seconds to start, so all tests share it."""
    with held_port() as port, (sandbox := Sandbox(site=f"http://127.0.0.1:{port}/")).serve() as server:
        env: dict[str, Any] = environment(server.url, str(folder))
        subprocess.run([sys.executable, str(MANAGE), "migrate", "--verbosity=0"], env=env, check=True)
        command = [sys.executable, "-c", SERVE, server.url, str(port)]
        with subprocess.Popen(
            command, env=env, cwd=MANAGE.parent.parent, stdout=subprocess.PIPE, text=True
        ) as process:
            assert process.stdout is not None
            printed = ""
            while "Press Ctrl-C to stop" not in printed and (line := process.stdout.readline()):
                printed += line
            yield sandbox, printed
            process.send_signal(signal.SIGINT)
            assert process.wait(20) == 0


def test_the_usual_port_is_chosen_again_right_after_it_was_in_use(monkeypatch: pytest.MonkeyPatch) -> None:
    with held_port() as port:
        monkeypatch.setattr(serving, "PORT", port)
        with (
            socket.create_server(("127.0.0.1", port)) as server,
            socket.create_connection(("127.0.0.1", port)),
        ):
            # The side that closes first keeps the port for a minute.
            server.accept()[0].close()
            assert serving.free_port() != port
        assert serving.free_port() == port


def test_the_printed_link_leads_to_a_sign_up_that_is_converted(served: tuple[Sandbox, str]) -> None:
    sandbox, printed = served
    [link] = [line.split()[-1] for line in printed.splitlines() if line.startswith("A partner link")]
    visitor = Visitor()
    visitor.open(link)
    visitor.follow("Sign up")
    visitor.send("Create the account", name="Ada Ltd", email="ada@example.com", password="correct horse 9")
    wait_until(
        lambda: sandbox.objects("customers"), seconds=20, otherwise="PartnerStack did not get the customer"
    )
    assert sandbox.conversions[0].created
    assert sandbox.objects("customers")[0]["partner_key"] == "gstest"


def test_what_changes_in_the_sandbox_reaches_the_site_without_a_command(
    served: tuple[Sandbox, str], folder: Path
) -> None:
    sandbox, _ = served
    sandbox.create("groups", name="Just created")
    database = sqlite3.connect(folder / "demo.sqlite3", timeout=20)
    query = "SELECT count(*) FROM partnerstack_group WHERE name = 'Just created'"
    wait_until(
        lambda: database.execute(query).fetchone()[0],
        seconds=30,
        otherwise="the worker did not sync the group",
    )
    database.close()


def test_a_partner_that_is_moved_in_the_sandbox_reaches_the_site_by_a_webhook(
    served: tuple[Sandbox, str], folder: Path
) -> None:
    sandbox, printed = served
    group = sandbox.create("groups", name="Gold")
    [partner] = sandbox.objects("partnerships")
    sandbox.change("partnerships", partner["key"], group_key=group["key"])
    database = sqlite3.connect(folder / "demo.sqlite3", timeout=20)
    event = "SELECT count(*) FROM partnerstack_webhookevent WHERE key = ? AND state = 'done'"
    wait_until(
        lambda: database.execute(event, [partner["key"]]).fetchone()[0],
        seconds=30,
        otherwise="the worker did not process the webhook",
    )
    row = "SELECT group_key FROM partnerstack_partnership WHERE key = ?"
    assert database.execute(row, [partner["key"]]).fetchone() == (group["key"],)
    database.close()
    [endpoint] = sandbox.objects("webhooks")
    assert endpoint["target_url"] not in printed
