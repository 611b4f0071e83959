"""
What a reconciliation takes and finds: ``python -m tests.benchmarks.reconcile [PAYMENTS]``.

Writes the books of a site with differences of every kind, and compares what is found with what was planted.
Time and memory are those of a process of its own, so that writing the books does not count.

Runs on SQLite, and on the databases of ``POSTGRESQL_URL`` and ``MARIADB_URL``; an empty value skips a
database. Exits with status 1 if a difference is not found or invented, or if it takes too much memory.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

DATABASES = {
    "SQLite": "",
    "PostgreSQL": os.environ.get("POSTGRESQL_URL", "postgres:///partnerstack"),
    "MariaDB": os.environ.get("MARIADB_URL", "mysql://root@127.0.0.1/partnerstack"),
}
PAYMENTS = 100_000
#: MiB.
MOST_MEMORY = 20


def mebibytes(which: str) -> float:
    """The memory of this process, without its parent's: ``VmRSS`` now, ``VmHWM`` at its peak."""
    status = Path("/proc/self/status").read_text()
    return int(status.split(f"{which}:")[1].split()[0]) / 1024


def measure() -> dict[str, Any]:
    """Reconcile the database of ``DATABASE_URL`` as it is."""
    import django

    django.setup()
    from django.db import connection

    from django_partnerstack.insight.reconciliation.run import reconcile

    connection.ensure_connection()
    before, begin, used = mebibytes("VmRSS"), time.perf_counter(), time.process_time()
    result = reconcile(mode="test")
    found = {code: tally.count for code, tally in result.tally.kinds.items() if tally.count}
    return {
        "seconds": time.perf_counter() - begin,
        "processor": time.process_time() - used,
        "memory": mebibytes("VmHWM") - before,
        "found": found,
        "same": result.tally.same,
    }


def fill(payments: int) -> None:
    """Create the test database, write the books, let another process reconcile them, and print its result."""
    import django

    django.setup()
    from django.db import connection

    from tests.benchmarks.pull import database
    from tests.insight.reconciliation import books

    with database():
        expected = books.write(payments, each=max(payments // 1000, 1))
        tables = connection.introspection.table_names()
        with connection.cursor() as cursor:
            if connection.vendor == "mysql":
                cursor.execute(f"ANALYZE TABLE {', '.join(tables)}")
                cursor.fetchall()
            else:
                cursor.execute("ANALYZE")
        found = child("--measure", url_of(str(connection.settings_dict["NAME"])))
    found["expected"] = expected
    print(json.dumps(found))


def url_of(name: str) -> str:
    """The URL of the test database with this name."""
    url = os.environ.get("DATABASE_URL", "")
    return urlunsplit(urlsplit(url)._replace(path=f"/{name}")) if url else f"sqlite:///{name}"


def child(what: str, url: str) -> dict[str, Any]:
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "tests.benchmarks.settings", "DATABASE_URL": url}
    if not url:
        del environment["DATABASE_URL"]
    command = [sys.executable, "-m", "tests.benchmarks.reconcile", *what.split()]
    done = subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE)
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def report(name: str, url: str, payments: int) -> bool:
    """Print the result for a database. Returns whether it is as it must be."""
    found = child(f"--fill {payments}", url)
    wrong = {
        code: (number, found["expected"].get(code, 0))
        for code, number in {**dict.fromkeys(found["expected"], 0), **found["found"]}.items()
        if number != found["expected"].get(code, 0)
    }
    print(f"{name}, {payments:,} payments")
    planted, exact = sum(found["expected"].values()), len(found["expected"]) - len(wrong)
    print(f"  differences            {sum(found['found'].values()):10,} found of {planted:,} planted")
    print(f"  kinds                  {exact:10} with the exact number (of {len(found['expected'])})")
    for code, (number, planted) in wrong.items():
        print(f"    {code}: {number:,} found, {planted:,} planted")
    print(
        f"  time                   {found['seconds']:10.1f} s: {payments / found['seconds']:,.0f} payments/s"
    )
    print(f"  memory                 {found['memory']:10.1f} MiB more than before (less than {MOST_MEMORY})")
    return not wrong and found["memory"] < MOST_MEMORY


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["--measure"]:
            print(json.dumps(measure()))
        case ["--fill", number]:
            fill(int(number))
        case arguments:
            sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
            size = int(arguments[0]) if arguments else PAYMENTS
            chosen = [(name, url) for name, url in DATABASES.items() if url or name == "SQLite"]
            results = [report(name, url, size) for name, url in chosen]
            sys.exit(not all(results))
