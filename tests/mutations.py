"""
Changes the package at random, one place at a time, and counts the changes that a test notices.

``python -m tests.mutations [--number 200] [--seed N] [--minutes 120] [--only PATTERN ...] [--tests PATH ...]
[--processes N] [--folder PATH]``

mutmut makes the changes in a copy of the checkout. First all tests run once, or only those of ``--tests``, to
see which functions each reaches; a test that fails there is left out. Then those that reach a changed
function run with the change, until one fails. Prints the seed, and each change that no test noticed. Exits
with status 1 if fewer than 95 % are noticed, without those that ``tests/unnoticed_changes.txt`` lists.
"""

from __future__ import annotations

import argparse
import ast
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from difflib import unified_diff
from fnmatch import fnmatch
from functools import partial
from itertools import chain
from pathlib import Path
from random import Random, SystemRandom
from typing import Any

from tests.crash.processes import waits_for_cpu

CHECKOUT = Path(__file__).resolve().parent.parent
LISTED = Path(__file__).with_name("unnoticed_changes.txt")
PACKAGE = "django_partnerstack"
COPIED = (
    PACKAGE,
    "example_project",
    "tests",
    "setup.cfg",
    "pyproject.toml",
    "tox.ini",
    "README.rst",
    "CHANGELOG.rst",
)
#: The sandbox is a tool for tests, and the migrations are compared with the models.
UNCHANGED = ("sandbox", "migrations")
#: Tests of other processes and of the sources, which do not see the changes.
WITHOUT = (
    "benchmarks",
    "crash",
    "example",
    "sandbox",
    "static",
    "types",
    "attribution/test_in_a_browser.py",
    "dispatch/test_processes.py",
    "management/test_partnerstack_sandbox.py",
    "management/test_partnerstack_sync_process.py",
    "sync/test_killed.py",
    "test_layers.py",
    "test_packaging.py",
    "test_readme.py",
)
ENOUGH = 0.95
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
#: The name of a change that is none.
NO_CHANGE = "nothing.x__mutmut_0"
#: In the environment of pytest: where it writes which functions each test reaches.
REACHED = "MUTATIONS_REACHED"
#: The same: the changes to try, with their tests.
SHARE = "MUTATIONS_SHARE"


@dataclass
class Tests:
    """The tests that reach each function, and how many seconds each takes."""

    reaching: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    seconds: dict[str, float] = field(default_factory=dict)

    def of(self, change: str) -> list[str]:
        """The tests that reach the changed function: first those of its own room, the quickest first."""
        function = change.partition("__mutmut_")[0]
        room = "tests/" + "/".join(function.split(".")[1:3]).replace("/x_", "/")

        def order(test: str) -> tuple[bool, float]:
            return not test.startswith(room.rpartition("/")[0]), self.seconds[test]

        return sorted(self.reaching[function], key=order)


def main(arguments: Sequence[str] | None = None) -> int:
    options = parse(arguments)
    until = time.monotonic() + 60 * options.minutes
    print(f"Seed {options.seed}: --seed {options.seed} makes the same changes again.", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(options.folder or folder)
        changes = change_all(copy)
        tests = find_tests(copy, options.tests, options.processes, until)
        chosen = [name for name in changes if any(fnmatch(name, pattern) for pattern in options.only)]
        sample = Random(options.seed).sample(chosen, min(options.number, len(chosen)))
        return report(
            copy, try_all(copy, sample, tests, options.tests, options.processes, until), len(chosen)
        )


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--number", type=int, default=200, help="how many changes (200)")
    parser.add_argument(
        "--seed", type=int, default=SystemRandom().randrange(10**6), help="chooses the changes"
    )
    parser.add_argument("--minutes", type=float, default=120, help="ends after this time (120)")
    parser.add_argument(
        "--only", nargs="+", default=["*"], help="changes whose name matches one, such as '*.outbox.*'"
    )
    parser.add_argument("--tests", nargs="+", default=["tests"], help="run only these, such as tests/outbox")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 2)
    parser.add_argument("--folder", help="keep the copy here, or use the one that is here")
    return parser.parse_args(arguments)


def change_all(copy: Path) -> list[str]:
    """
    Copy the checkout, with all changes in it, unless it was copied before. Returns the names of the changes.

    A change is made when ``MUTANT_UNDER_TEST`` names it.
    """
    done = copy / "changes.json"
    if not done.exists():
        copy_checkout(copy)
        with ProcessPoolExecutor() as pool:
            found = pool.map(partial(change_file, copy), sorted((copy / PACKAGE).rglob("*.py")))
            done.write_text(json.dumps(sorted(chain.from_iterable(found))))
    names: list[str] = json.loads(done.read_text())
    return names


def copy_checkout(copy: Path) -> None:
    for name in COPIED:
        source = CHECKOUT / name
        if source.is_dir():
            ignored = shutil.ignore_patterns("__pycache__", "*.sqlite3*")
            shutil.copytree(source, copy / name, ignore=ignored, dirs_exist_ok=True)
        else:
            shutil.copy2(source, copy)


def more_changes() -> list[tuple[type, Callable[[Any], Iterator[Any]]]]:
    """Changes that mutmut does not make: no call, an inverted condition, an error that is not caught."""
    import libcst as cst

    def without(statement: cst.Expr) -> Iterator[cst.BaseSmallStatement]:
        if isinstance(statement.value, cst.Call):
            yield cst.Pass()

    def inverted(statement: cst.If) -> Iterator[cst.If]:
        test = statement.test
        # In parentheses, because "not" binds more tightly than "or", and takes no ":=" without them.
        whole = test.with_changes(lpar=[cst.LeftParen(), *test.lpar], rpar=[*test.rpar, cst.RightParen()])
        negated = cst.UnaryOperation(cst.Not(), whole)
        yield statement.with_changes(test=negated, whitespace_before_test=cst.SimpleWhitespace(" "))

    def uncaught(handler: cst.ExceptHandler) -> Iterator[cst.ExceptHandler]:
        yield handler.with_changes(
            type=cst.Name("ZeroDivisionError"), whitespace_after_except=cst.SimpleWhitespace(" ")
        )

    def nothing(statement: cst.Return) -> Iterator[cst.Return]:
        if statement.value is not None and not isinstance(statement.value, cst.Name):
            yield statement.with_changes(value=None)

    return [(cst.Expr, without), (cst.If, inverted), (cst.ExceptHandler, uncaught), (cst.Return, nothing)]


def change_file(copy: Path, path: Path) -> list[str]:
    from mutmut.mutation import file_mutation, mutators

    operators = [*mutators.mutation_operators, *more_changes()]
    file_mutation.mutation_operators = operators  # type: ignore[attr-defined]
    parts = path.relative_to(copy).with_suffix("").parts
    if parts[1] in UNCHANGED:
        return []
    changed = file_mutation.mutate_file_contents(str(path), path.read_text())
    # A change that is no Python would make all tests fail.
    compile(changed.code, str(path), "exec")
    path.write_text(changed.code)
    module = ".".join(part for part in parts if part != "__init__")
    return [f"{module}.{name}" for name in changed.mutant_names]


def pytest(copy: Path, change: str, *arguments: str, **environment: str) -> subprocess.Popen[bytes]:
    """Start pytest in the copy, as the leader of a group of processes."""
    return subprocess.Popen(
        [sys.executable, "-m", "pytest", "-q", *arguments],
        cwd=copy,
        env={**os.environ, "CRASH_LENGTH": "quick", "MUTANT_UNDER_TEST": change, **environment},
        stdout=(copy / "pytest.log").open("ab"),
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )


def wait(child: subprocess.Popen[bytes], seconds: float) -> int | None:
    """The exit status; None if it did not end in time. Ends the whole group."""
    try:
        return child.wait(max(seconds, 0))
    except subprocess.TimeoutExpired:
        return None
    finally:
        with suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)
        child.wait()


def find_tests(copy: Path, paths: Sequence[str], processes: int, until: float) -> Tests:
    """Run the tests once. Exits if nearly all fail, or the time is over."""
    reached = copy / "reached"
    if not reached.exists():
        reached.mkdir()
        ignored = [f"--ignore=tests/{each}" for each in WITHOUT]
        arguments = [*paths, *ignored, "-n", str(processes), "--dist", "loadgroup", "-p", "tests.mutations"]
        wait(pytest(copy, "stats", *arguments, **{REACHED: str(reached)}), until - time.monotonic())
    tests, failed = Tests(), []
    for path in reached.glob("*.json"):
        for test, (functions, seconds, passed) in json.loads(path.read_text()).items():
            if not passed:
                failed.append(test)
                continue
            tests.seconds[test] = seconds
            for function in functions:
                tests.reaching[function].add(test)
    print(
        f"{len(tests.seconds)} tests. Left out, because they fail in the copy: {', '.join(failed) or 'none'}."
    )
    if not tests.seconds:
        sys.exit(f"No test ended, or the time was over; see {copy / 'pytest.log'} with --folder.")
    if len(tests.seconds) < 10 * len(failed):
        sys.exit(f"Too many tests fail; see {copy / 'pytest.log'} with --folder.")
    return tests


def try_all(
    copy: Path, sample: Sequence[str], tests: Tests, paths: Sequence[str], processes: int, until: float
) -> dict[str, bool | None]:
    """Whether a test notices each change; None if the time was over before."""
    children = []
    for rest in copy.glob("share-*"):
        rest.unlink()
    for number in range(processes):
        share = {change: tests.of(change) for change in sample[number::processes]}
        # Tests that notice a change that is none would notice all.
        share = {NO_CHANGE: sorted(tests.seconds, key=lambda test: tests.seconds[test])[:500], **share}
        (copy / f"share-{number}.json").write_text(json.dumps([share, tests.seconds]))
        arguments = [*paths, *(f"--ignore=tests/{each}" for each in WITHOUT), "-p", "tests.mutations"]
        children.append(pytest(copy, "", *arguments, **{SHARE: str(copy / f"share-{number}.json")}))
    for child in children:
        wait(child, until - time.monotonic())
    noticed: dict[str, bool | None] = dict.fromkeys(sample)
    for path in copy.glob("share-*.noticed"):
        noticed |= dict(json.loads(line) for line in path.read_text().splitlines())
    if noticed.pop(NO_CHANGE, False):
        sys.exit("Tests fail although nothing was changed.")
    return noticed


def difference(copy: Path, change: str) -> list[str]:
    """The changed lines, such as ``["-    return True", "+    return False"]``."""
    module, _, name = change.rpartition(".")
    base = copy / module.replace(".", "/")
    path = base / "__init__.py" if base.is_dir() else base.with_suffix(".py")
    source = path.read_text()
    original = name.partition("__mutmut_")[0] + "__mutmut_orig"
    found = {node.name: node for node in ast.walk(ast.parse(source)) if isinstance(node, FUNCTIONS)}
    lines = source.splitlines()
    old, new = (lines[found[each].lineno : found[each].end_lineno] for each in (original, name))
    return [
        line.rstrip() for line in unified_diff(old, new, n=0, lineterm="") if line[:3] not in ("---", "+++")
    ][1:]


def report(copy: Path, noticed: dict[str, bool | None], number: int) -> int:
    known = listed()
    tried = {change: found for change, found in noticed.items() if found is not None}
    unnoticed, excused = 0, 0
    for change in (change for change, found in tried.items() if not found):
        lines, function = difference(copy, change), change.partition("__mutmut_")[0]
        if any((function, line[1:].strip()) in known for line in lines if line[0] == "+"):
            excused += 1
            continue
        unnoticed += 1
        print(f"\n{change}", *lines, sep="\n")
    counted = len(tried) - excused
    share = 1 - unnoticed / counted if counted else 0
    print(
        f"\n{len(noticed)} of {number} changes, {len(tried)} of them tried in time; {excused} are listed. "
        f"Of the others the tests noticed {counted - unnoticed} of {counted}: {share:.1%}."
    )
    return 0 if share >= ENOUGH else 1


def listed() -> set[tuple[str, str]]:
    """The functions and changed lines of ``unnoticed_changes.txt``."""
    lines = (line for line in LISTED.read_text().splitlines() if "|" in line and line[0] != "#")
    return {(function.strip(), line.strip()) for function, _, line in (each.partition("|") for each in lines)}


class Recorder:
    """The plugin of pytest that records which functions each test of a process reaches."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.tests: dict[str, tuple[list[str], float, bool]] = {}

    def pytest_runtest_makereport(self, item: Any, call: Any) -> None:
        from mutmut.state import state

        functions, seconds, passed = self.tests.get(item.nodeid, ([], 0, True))
        skipped = call.excinfo is not None and call.excinfo.typename == "Skipped"
        passed = passed and (call.excinfo is None or skipped)
        self.tests[item.nodeid] = ([*functions, *state()._stats], seconds + call.duration, passed)
        state()._stats.clear()

    def pytest_sessionfinish(self) -> None:
        (self.folder / f"{os.getpid()}.json").write_text(json.dumps(self.tests))


class Forks:
    """
    The plugin of pytest that makes each change of a share in a fork, and runs the tests that reach it.

    So the tests are imported once. Each fork begins with the same empty database.
    """

    def __init__(self, share: Path) -> None:
        self.share = share

    def pytest_runtestloop(self, session: Any) -> bool:
        from django.db import connection, connections

        items = {item.nodeid: item for item in session.items}
        changes, seconds = json.loads(self.share.read_text())
        # The first test creates the database.
        first, other = [item for item in session.items if item.get_closest_marker("django_db")][:2]
        first.config.hook.pytest_runtest_protocol(item=first, nextitem=other)
        database = Path(connection.settings_dict["NAME"])
        connections.close_all()
        empty = database.read_bytes()
        with self.share.with_suffix(".noticed").open("w", buffering=1) as results:
            for change, tests in changes.items():
                for rest in database.parent.glob(f"{database.name}-*"):
                    rest.unlink()
                database.write_bytes(empty)
                chosen = [items[test] for test in tests if test in items]
                limit = 60 + 10 * sum(seconds[test] for test in tests)
                results.write(
                    json.dumps([change, bool(chosen) and self._notices(change, chosen, limit)]) + "\n"
                )
        return True

    def _notices(self, change: str, items: Sequence[Any], limit: float) -> bool:
        child = os.fork()
        if child == 0:
            try:
                os.environ["MUTANT_UNDER_TEST"] = change
                os._exit(self._run(items))
            finally:
                os._exit(1)
        began = time.monotonic()
        # A machine with much to do is slow; a test that never ends is noticed.
        while time.monotonic() - began - max(waits_for_cpu(child).values(), default=0) < limit:
            ended, status = os.waitpid(child, os.WNOHANG)
            if ended:
                return status != 0
            time.sleep(0.05)
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        return True

    def _run(self, items: Sequence[Any]) -> int:
        from _pytest.runner import runtestprotocol

        # Of the test that created the database, or of the last one: fixtures of its module and packages.
        items[0].session._setupstate.teardown_exact(items[0])
        for item, following in zip(items, [*items[1:], items[0]], strict=True):
            reports = runtestprotocol(item, log=False, nextitem=following)
            if any(report.failed for report in reports):
                return 1
        return 0


def pytest_configure(config: Any) -> None:
    if REACHED in os.environ:
        config.pluginmanager.register(Recorder(Path(os.environ[REACHED])))
    if SHARE in os.environ:
        config.pluginmanager.register(Forks(Path(os.environ[SHARE])))


if __name__ == "__main__":
    sys.exit(main())
