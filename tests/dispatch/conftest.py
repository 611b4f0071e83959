from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from django_partnerstack.sandbox import Sandbox
from tests.crash.processes import Family, until


class Site(Family):
    """Processes of one site, and the PartnerStack that they talk to."""

    def __init__(self, folder: Path, sandbox: Sandbox, env: dict[str, str]) -> None:
        super().__init__(folder, {"DJANGO_SETTINGS_MODULE": "tests.dispatch.settings", **env})
        self.sandbox = sandbox

    def sells(self, **env: str) -> None:
        """A customer signs up and pays."""
        host = self.start("tests.dispatch.host", **env)
        assert host.wait(30) == 0, host.said
        assert host.said == ""

    def has_told(self) -> bool:
        """Whether PartnerStack has both, once each."""
        return dict(self.sandbox.effects) == {
            ("test", "customers.create", "account-1"): 1,
            ("test", "transactions.create", "payment-1"): 1,
        }

    def tells(self) -> None:
        until(self.has_told, seconds=15, what="\n".join(child.said for child in self.children))


@pytest.fixture
def site(transactional_db: Any, tmp_path: Path) -> Iterator[Site]:
    sandbox = Sandbox()
    with sandbox.serve() as server:
        env = {
            "TEST_DATABASE": str(connection.settings_dict["NAME"]),
            "TEST_API_URL": f"{server.url}/api/v2",
            "TEST_NAME": f"partnerstack-test-{uuid.uuid4().hex}",
        }
        site = Site(tmp_path, sandbox, env)
        yield site
        site.end()
