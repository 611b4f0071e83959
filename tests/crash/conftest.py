from __future__ import annotations

import os

import pytest
from django.db import connection

from .processes import Family
from .witness import Witness

#: The full length, as ``tox run -e crash`` has it.
LONG = os.environ.get("CRASH_LENGTH") == "long"


@pytest.fixture
def witness():
    return Witness()


@pytest.fixture
def server(witness):
    with witness.serve() as server:
        yield server


@pytest.fixture
def family(transactional_db, server, tmp_path):
    """Starts processes on the database of the test; ends them before the database is emptied."""
    family = Family(tmp_path, dict(connection.settings_dict), PARTNERSTACK_API_URL=f"{server.url}/api/v2")
    yield family
    family.end()


@pytest.fixture
def show(request):
    """Prints a line at the end of the run, whether or not the tests passed, from any process."""
    return lambda line: request.node.user_properties.append(("counted", f"{connection.vendor}: {line}"))


def pytest_terminal_summary(terminalreporter):
    reports = [report for each in terminalreporter.stats.values() for report in each]
    for report in reports:
        if getattr(report, "when", "") == "call":
            for _, line in report.user_properties:
                terminalreporter.write_line(line)
