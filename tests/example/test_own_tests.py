"""The example site's own tests, which use the test kit."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

from tests.testing.runs import without_this_run

ROOT = Path(__file__).parent.parent.parent / "example_project"


def test_they_pass_with_djangos_test_runner() -> None:
    command = [sys.executable, str(ROOT / "manage.py"), "test", "example_project.saas"]
    run = subprocess.run(command, env=without_this_run(), capture_output=True, text=True, timeout=300)
    assert run.returncode == 0, run.stderr
    assert "Ran 8 tests" in run.stderr


def test_none_has_more_than_eight_lines() -> None:
    tree = ast.parse((ROOT / "saas" / "tests.py").read_text())
    tests = [
        node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and node.name[:5] == "test_"
    ]
    assert len(tests) == 8
    assert max((test.end_lineno or 0) - test.lineno + 1 for test in tests) <= 8
