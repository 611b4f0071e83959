"""The example site as its users meet it: a process, with no environment but what is given here."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import example_project

MANAGE = Path(example_project.__file__).with_name("manage.py")


def manage(*command: str, folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    env = {"PATH": os.environ["PATH"], "HOME": str(folder), "TMPDIR": str(folder), **variables}
    return subprocess.run(
        [sys.executable, str(MANAGE), *command],
        env=env,
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=90,
    )


def test_the_demo_runs_to_its_end_and_leaves_nothing(tmp_path: Path) -> None:
    ended = manage("demo", folder=tmp_path)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert "Found at PartnerStack; an earlier attempt got through." in ended.stdout
    assert "Every message had its effect, and had it once." in ended.stdout
    assert list(tmp_path.iterdir()) == []


def test_the_site_starts_without_keys(tmp_path: Path) -> None:
    ended = manage("check", folder=tmp_path)
    assert ended.returncode == 0
    assert "partnerstack.W001" in ended.stderr


def test_the_check_before_the_launch_warns_of_test_mode(tmp_path: Path) -> None:
    ended = manage("check", "--deploy", folder=tmp_path, DEBUG="false")
    assert "partnerstack.W003" in ended.stderr
    assert "change your keys to production before launching" in ended.stderr.lower()


@pytest.mark.parametrize(
    ("name", "value", "read"),
    [
        ("PARTNERSTACK_MODE", "production", "'production'"),
        ("PARTNERSTACK_READ_TIMEOUT", "1.5", "1.5"),
        ("PARTNERSTACK_PUSH_ENABLED", "false", "False"),
        ("DATABASE_URL", "sqlite:////tmp/other.sqlite3", "'/tmp/other.sqlite3'"),
    ],
)
def test_settings_come_from_the_environment(tmp_path: Path, name: str, value: str, read: str) -> None:
    shown = "DATABASES['default']['NAME']" if name == "DATABASE_URL" else name
    code = f"from django.conf import settings; print(repr(settings.{shown}))"
    ended = manage("shell", "--verbosity=0", "--command", code, folder=tmp_path, **{name: value})
    assert ended.stdout.strip() == read
