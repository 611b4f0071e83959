"""The example site as a process, with no other environment than the test's."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

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


def test_the_demo_succeeds_and_leaves_no_files(tmp_path: Path) -> None:
    ended = manage("demo", folder=tmp_path)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert "Found at PartnerStack; an earlier attempt got through." in ended.stdout
    assert "Every message had its effect exactly once." in ended.stdout
    [seconds] = re.findall(r"in the mirror ([0-9.]+) s later", ended.stdout)
    assert float(seconds) < 5
    assert list(tmp_path.iterdir()) == []


def test_the_site_starts_without_keys(tmp_path: Path) -> None:
    ended = manage("check", folder=tmp_path)
    assert ended.returncode == 0
    assert "partnerstack.W001" in ended.stderr


def test_the_check_before_the_launch_warns_of_test_mode(tmp_path: Path) -> None:
    ended = manage("check", "--deploy", folder=tmp_path, DEBUG="false")
    assert "partnerstack.W003" in ended.stderr
    assert "change your keys to production before launching" in ended.stderr.lower()


def test_settings_come_from_the_environment_with_their_types(tmp_path: Path) -> None:
    given = {
        "DATABASE_URL": "sqlite:////tmp/other.sqlite3",
        "PARTNERSTACK_MODE": "production",
        "PARTNERSTACK_PUSH_ENABLED": "false",
        "PARTNERSTACK_READ_TIMEOUT": "1.5",
        "PARTNERSTACK_FULL_SYNC_AT": "04:15",
        "PARTNERSTACK_ATTRIBUTION_IGNORED_PARTNERS": "ada,bob",
        "PARTNERSTACK_WEBHOOK_SECRETS": "the-new-one,the-old-one",
    }
    names = [name for name in given if name.startswith("PARTNERSTACK_")]
    code = (
        "from django.conf import settings; "
        f"print([settings.DATABASES['default']['NAME'], *(getattr(settings, name) for name in {names})])"
    )
    ended = manage("shell", "--verbosity=0", "--command", code, folder=tmp_path, **given)
    expected = ["/tmp/other.sqlite3", "production", False, 1.5, "04:15", ["ada", "bob"]]
    expected.append(["the-new-one", "the-old-one"])
    assert ended.stdout.strip() == str(expected)
