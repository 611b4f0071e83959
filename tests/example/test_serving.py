"""The site that ``demo --serve`` opens, in a process of its own as there."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from django_partnerstack.sandbox import Sandbox
from example_project.saas.demo import serving
from example_project.saas.demo.site import MANAGE, environment
from example_project.saas.demo.telling import wait_until

from .visitors import Visitor

SERVE = """
import os, sys, django
django.setup()
from django.core.management.base import OutputWrapper
from example_project.saas.demo import serving, site
site.end_processes_when_told()
serving.serve(OutputWrapper(sys.stdout), os.environ, sys.argv[1], port=int(sys.argv[2]), partner="gstest")
"""


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[Sandbox, str]]:
    """The sandbox, and what the demo prints once all is open."""
    port = serving.free_port()
    sandbox = Sandbox(site=f"http://127.0.0.1:{port}/")
    with sandbox.serve() as server:
        env: dict[str, Any] = environment(server.url, str(tmp_path))
        subprocess.run([sys.executable, str(MANAGE), "migrate", "--verbosity=0"], env=env, check=True)
        command = [sys.executable, "-c", SERVE, server.url, str(port)]
        with subprocess.Popen(
            command, env=env, cwd=MANAGE.parent.parent, stdout=subprocess.PIPE, text=True
        ) as process:
            assert process.stdout is not None
            told = ""
            while "Ctrl-C ends it all" not in told and (line := process.stdout.readline()):
                told += line
            yield sandbox, told
            process.send_signal(signal.SIGINT)
            assert process.wait(20) == 0


def test_the_link_that_is_printed_leads_to_a_sign_up_that_is_converted(served: tuple[Sandbox, str]) -> None:
    sandbox, told = served
    [link] = [line.split()[-1] for line in told.splitlines() if line.startswith("A partner link")]
    visitor = Visitor()
    visitor.open(link)
    visitor.follow("Sign up")
    visitor.send("Create the account", name="Ada Ltd", email="ada@example.com", password="correct horse 9")
    wait_until(lambda: sandbox.objects("customers"), seconds=20, otherwise="PartnerStack was not told")
    assert sandbox.conversions[0].created
    assert sandbox.objects("customers")[0]["partner_key"] == "gstest"
