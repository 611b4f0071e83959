"""The plugin in runs of pytest of their own."""

from __future__ import annotations

import configparser
import subprocess
import sys
from importlib import import_module
from pathlib import Path

from .runs import ROOT, run_pytest

SIGN_UP = """
    import pytest

    SIGN_UP = {"name": "Ada Ltd", "email": "ada@example.com", "password": "correct horse 9"}
"""


def test_the_plugin_imports_nothing_but_pytest_until_its_fixture_is_used() -> None:
    code = (
        "import pytest, sys; before = set(sys.modules); import django_partnerstack.testing.plugin;"
        "print(*sorted({name for name in set(sys.modules) - before}))"
    )
    command = [sys.executable, "-c", code]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert run.stdout.split() == [
        "django_partnerstack",
        "django_partnerstack.testing",
        "django_partnerstack.testing.plugin",
    ]


def test_the_package_declares_its_plugin() -> None:
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg")
    name, _, module = setup["options.entry_points"]["pytest11"].strip().partition(" = ")
    assert name == "partnerstack"
    assert callable(import_module(module).partnerstack)


def test_a_site_needs_nothing_but_the_fixture(tmp_path: Path) -> None:
    status, output = run_pytest(
        tmp_path,
        SIGN_UP
        + """
    def test_a_referred_sign_up_is_credited(client, partnerstack):
        partnerstack.click("ada", client)
        client.post("/sign-up/", SIGN_UP)
        partnerstack.deliver()
        assert partnerstack.customers == [{"email": "ada@example.com", "partner_key": "ada"}]

    def test_a_failure_explains_itself(client, partnerstack):
        partnerstack.click("ada", client)
        client.post("/sign-up/", SIGN_UP)
        assert partnerstack.customers == [{"email": "ada@example.com", "partner_key": "ada"}]

    @pytest.mark.django_db
    def test_a_failure_of_another_test_is_as_ever():
        assert 1 == 2
    """,
    )
    assert status == 1
    assert "2 failed, 1 passed" in output
    assert output.count("- PartnerStack -") == 1
    assert "customers.save saas-account-1: queued" in output
    assert "Nothing has delivered it yet: call partnerstack.deliver()." in output


def test_four_processes_do_not_disturb_each_other(tmp_path: Path) -> None:
    status, output = run_pytest(
        tmp_path,
        SIGN_UP
        + """
    @pytest.mark.parametrize("number", range(40))
    @pytest.mark.django_db(transaction=True)
    def test_each_has_a_partnerstack_of_its_own(number, client, partnerstack):
        partnerstack.click(f"ada{number}", client)
        client.post("/sign-up/", SIGN_UP)
        partnerstack.fail("customers", "lost")
        partnerstack.deliver(minutes=30)
        assert partnerstack.customers == [{"email": "ada@example.com", "partner_key": f"ada{number}"}]
        assert partnerstack.effects == {"customers.create": 1}
    """,
        *("-n", "4"),
    )
    assert status == 0, output
    assert "40 passed" in output


def test_without_the_fixture_no_socket_is_reached(tmp_path: Path) -> None:
    status, output = run_pytest(
        tmp_path,
        """
    import socket

    import pytest

    from django_partnerstack.connection import get_client

    @pytest.fixture(autouse=True)
    def keys(settings, monkeypatch):
        settings.PARTNERSTACK_PUBLIC_KEY, settings.PARTNERSTACK_SECRET_KEY = "pk_fake", "sk_fake"
        monkeypatch.setattr(socket.socket, "connect", lambda *args: print("A socket was opened."))

    def test_a_mistake():
        get_client().customers.create(customer_key="c", email="a@example.com", partner_key="ada")
    """,
    )
    assert status == 1
    assert "A socket was opened." not in output
    [line] = [line for line in output.splitlines() if line.startswith("E ")]
    assert (
        "POST /api/v2/customers: not sent, because this is a test run. Use the fixture partnerstack" in line
    )
