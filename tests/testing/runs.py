"""Runs of pytest in a process of their own, for a site whose tests are given."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from importlib.metadata import entry_points
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
#: Where the package is installed, pytest finds the plugin itself.
IS_INSTALLED = any(each.name == "partnerstack" for each in entry_points(group="pytest11"))
PLUGIN = () if IS_INSTALLED else ("-p", "django_partnerstack.testing.plugin")

CONFIG = """\
[pytest]
addopts = -p no:cacheprovider -W error
"""


def run_pytest(folder: Path, tests: str, *options: str) -> tuple[int, str]:
    """The exit status and the output of pytest for a site with these tests, on SQLite."""
    (folder / "pytest.ini").write_text(CONFIG)
    (folder / "test_site.py").write_text(textwrap.dedent(tests))
    settings = "--ds=example_project.settings"
    command = [sys.executable, "-m", "pytest", settings, *PLUGIN, *options, str(folder)]
    environment = without_this_run() | {"PYTHONPATH": str(ROOT)}
    run = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=300)
    return run.returncode, run.stdout + run.stderr


def without_this_run() -> dict[str, str]:
    """The environment, without the database and the settings of the tests that are running."""
    mine = ("DATABASE_URL", "DJANGO_SETTINGS_MODULE", "PYTEST_")
    return {name: value for name, value in os.environ.items() if not name.startswith(mine)}
