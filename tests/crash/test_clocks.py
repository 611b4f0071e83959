"""The clock of a worker is an hour off; leases use the database's clock."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from django.db import connection

from django_partnerstack.models import OutboxMessage

from .history import Event
from .host import write
from .processes import until
from .worker import command

CUSTOMERS = 40


@pytest.fixture
def off_by(family, server):
    """Starts a worker whose clock is shifted."""
    started = []

    def start(shift):
        environment = {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "tests.crash.settings",
            "CRASH_DATABASE": str(connection.settings_dict["NAME"]),
            "CRASH_API_URL": f"{server.url}/api/v2",
            # Shift only the time of day; seconds keep their length.
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        }
        arguments = ["faketime", "-f", shift, sys.executable, "-m", "django", "partnerstack_push", "--loop"]
        started.append(
            # A separate process group, because faketime starts another process.
            subprocess.Popen(
                arguments, env=environment, cwd=Path(__file__).parents[2], start_new_session=True
            )
        )

    yield start
    for process in started:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


@pytest.mark.skipif(shutil.which("faketime") is None, reason="faketime is not installed.")
@pytest.mark.skipif(connection.vendor == "sqlite", reason="SQLite has no clock but the machine's.")
@pytest.mark.parametrize("shift", ["+1h", "-1h"])
def test_a_worker_whose_clock_is_off_claims_nothing_early_and_delivers_all(
    family, witness, show, off_by, shift
):
    witness.faults.add("latency", seconds=0.3)
    family.start(command)
    off_by(shift)
    for number in range(1, CUSTOMERS + 1):
        write(Event("sign-up", number))
    left = OutboxMessage.objects.exclude(state="delivered")
    until(lambda: not left.exists(), seconds=60, what="everything is delivered")
    claimed_early = OutboxMessage.objects.exclude(attempts=1).count()
    show(f"one clock of two off by {shift}: {claimed_early} of {CUSTOMERS} messages claimed early, none left")
    assert claimed_early == 0
    assert [each.method for each in witness.arrivals] == ["POST"] * CUSTOMERS
