"""The command as a process of its own: what an operator sees on a terminal."""

import fcntl
import os
import pty
import signal
import struct
import subprocess
import sys
import termios
from pathlib import Path

import pytest

from django_partnerstack.sandbox import TEST_KEYS

COMMAND = [sys.executable, "-m", "django", "partnerstack_sync"]


@pytest.fixture
def environment(sandbox, tmp_path):
    """A site of its own, on a SQLite file, that asks the sandbox over a socket."""
    (tmp_path / "site_settings.py").write_text(
        "from tests.settings import *\n"
        "PARTNERSTACK_API_URL = env('PARTNERSTACK_API_URL')\n"
        f"PARTNERSTACK_PUBLIC_KEY, PARTNERSTACK_SECRET_KEY = {TEST_KEYS!r}\n"
    )
    with sandbox.serve() as server:
        yield {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "site_settings",
            "PYTHONPATH": f"{tmp_path}:{Path(__file__).parents[2]}",
            "DATABASE_URL": f"sqlite:///{tmp_path}/site.sqlite3",
            "PARTNERSTACK_API_URL": f"{server.url}/api/v2",
        }


def ended(environment, *arguments):
    run = subprocess.run([*COMMAND, *arguments], env=environment, capture_output=True, text=True)
    return run.returncode, run.stdout, run.stderr


@pytest.fixture
def migrated(environment):
    subprocess.run([sys.executable, "-m", "django", "migrate", "-v0"], env=environment, check=True)
    return environment


def test_without_tables_it_says_to_migrate(environment):
    code, out, err = ended(environment)
    # Since Django 6.1 the system check of the tables says so, too.
    assert (code, out, err.splitlines()[-1]) == (
        1,
        "",
        "CommandError: This app's tables are missing. Run: manage.py migrate partnerstack",
    )


def test_the_first_migrate_does_not_ask_to_migrate(environment):
    command = [sys.executable, "-m", "django", "migrate", "-v0"]
    run = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert (run.stdout, run.stderr) == ("", "")


def test_without_a_database_it_says_so_in_one_line(environment):
    environment["DATABASE_URL"] = "sqlite:////nowhere/site.sqlite3"
    assert ended(environment) == (
        1,
        "",
        "CommandError: The database cannot be reached: unable to open database file.\n",
    )


def test_it_exits_with_0_if_everything_was_synced(migrated):
    code, out, err = ended(migrated, "customers")
    assert (code, err) == (0, "customers: 600 created\n")
    assert out.splitlines()[1].split()[:2] == ["customers", "600"]


#: As in a terminal: what a shell starts in the background would ignore Ctrl-C.
IN_A_TERMINAL = """
import signal, sys
from django.core.management import execute_from_command_line
signal.signal(signal.SIGINT, signal.default_int_handler)
execute_from_command_line(["django-admin", *sys.argv[1:]])
"""


def test_ctrl_c_ends_with_one_line_and_releases_the_resource(migrated, sandbox):
    sandbox.faults.add("latency", seconds=30)
    command = [sys.executable, "-c", IN_A_TERMINAL, "partnerstack_sync", "customers"]
    with subprocess.Popen(command, env=migrated, stderr=subprocess.PIPE, text=True) as process:
        assert sandbox.was_asked.wait(30)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate()
    assert (process.returncode, err) == (
        130,
        "CommandError: Stopped. All stored pages are kept; run the command again to continue.\n",
    )
    sandbox.faults.clear()
    assert ended(migrated, "customers")[0] == 0


@pytest.mark.parametrize("unbuffered", ["", "1"], ids=["buffered", "unbuffered"])
def test_a_closed_output_is_reported_in_one_line(migrated, unbuffered):
    migrated["PYTHONUNBUFFERED"] = unbuffered
    reader, writer = os.pipe()
    os.close(reader)
    command = [*COMMAND, "customers", "--json"]
    run = subprocess.run(command, env=migrated, stdout=writer, stderr=subprocess.PIPE, text=True)
    os.close(writer)
    assert (run.returncode, run.stderr) == (
        1,
        "CommandError: The output was closed before the result was printed.\n",
    )


def test_a_command_whose_output_is_closed_says_so_in_one_line(migrated):
    subprocess.run([*COMMAND[:-1], "migrate", "--run-syncdb", "-v0"], env=migrated, check=True)
    assert ended(migrated, "customers", "transactions")[0] == 0
    commands = (
        "reconcile",
        "reconcile --json",
        "report --csv",
        "status --json",
        "doctor --json",
        "explain customer1@customers.example",
    )
    for command in commands:
        reader, writer = os.pipe()
        os.close(reader)
        words = [*COMMAND[:-1], *f"partnerstack_{command}".split()]
        run = subprocess.run(words, env=migrated, stdout=writer, stderr=subprocess.PIPE, text=True)
        os.close(writer)
        said = "CommandError: The output was closed before the result was printed.\n"
        assert (command, run.returncode, run.stderr) == (command, 1, said)


def test_a_terminal_shows_a_progress_bar_that_is_removed_at_the_end(migrated):
    main, terminal = pty.openpty()
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("4H", 24, 80, 0, 0))
    run = subprocess.run([*COMMAND, "customers"], env=migrated, stdout=subprocess.PIPE, stderr=terminal)
    os.write(terminal, b"prompt")
    shown = ""
    while "prompt" not in shown:
        shown += os.read(main, 65536).decode()
    os.close(terminal)
    os.close(main)
    assert run.returncode == 0
    assert "0 objects [" in shown
    assert "\n" not in shown
    assert shown.endswith(" \rprompt")
