from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from django_partnerstack.sandbox import Sandbox

from .processes import Process, until


class Site:
    """Processes of one site, and the PartnerStack that they send to."""

    def __init__(self, folder: Path, url: str, sandbox: Sandbox) -> None:
        self.folder = folder
        self.sandbox = sandbox
        self.name = f"partnerstack-test-{uuid.uuid4().hex}"
        self.processes: list[Process] = []
        self.env = {
            "DJANGO_SETTINGS_MODULE": "tests.dispatch.settings",
            "TEST_DATABASE": str(connection.settings_dict["NAME"]),
            "TEST_API_URL": url,
            "TEST_NAME": self.name,
        }

    def start(self, *arguments: str, **env: str) -> Process:
        path = self.folder / f"{len(self.processes)}.txt"
        self.processes.append(Process(arguments, path, {**self.env, **env}))
        return self.processes[-1]

    def sell(self, **env: str) -> str:
        """A customer signs up and pays, in a process that ends at once. Returns its output."""
        host = self.start("tests.dispatch.host", **env)
        assert host.popen.wait(30) == 0, host.printed
        return host.printed

    def expect_delivery(self) -> None:
        """Wait until PartnerStack has the customer and the payment, once each."""
        once = {
            ("test", "customers.create", "shop-account-1"): 1,
            ("test", "transactions.create", "payment-1"): 1,
        }
        until(lambda: self.sandbox.effects == once, seconds=15, output=self.output)

    def output(self) -> str:
        return "\n".join(process.printed for process in self.processes)

    def end(self) -> None:
        for process in self.processes:
            process.end()


@pytest.fixture
def site(transactional_db: Any, tmp_path: Path) -> Iterator[Site]:
    sandbox = Sandbox()
    with sandbox.serve() as server:
        site = Site(tmp_path, f"{server.url}/api/v2", sandbox)
        yield site
        site.end()
