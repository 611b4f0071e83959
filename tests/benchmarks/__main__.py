"""
A pull compared with a plain loop: ``python -m tests.benchmarks [CUSTOMERS]``.

Runs on SQLite, and on the databases of ``POSTGRESQL_URL`` and ``MARIADB_URL``; an empty value skips a
database.
"""

import json
import os
import subprocess
import sys

from .prerendered import server

DATABASES = {
    "SQLite": None,
    "PostgreSQL": os.environ.get("POSTGRESQL_URL", "postgres:///partnerstack"),
    "MariaDB": os.environ.get("MARIADB_URL", "mysql://root@127.0.0.1/partnerstack"),
}
#: How many times as fast as the loop a pull must be.
TARGETS = {"first load": {"SQLite": 8, "PostgreSQL": 25}, "unchanged": {"SQLite": 60, "PostgreSQL": 60}}
SMALL, LARGE = 10_000, 200_000


def measure(database: str | None, count: int, what: str) -> dict:
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "tests.benchmarks.settings"}
    environment.pop("DATABASE_URL", None)
    if database:
        environment["DATABASE_URL"] = database
    with server(count) as url:
        command = [sys.executable, "-m", "tests.benchmarks.pull", url, str(count), what]
        return json.loads(subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE).stdout)


def report(name: str, database: str | None, count: int) -> None:
    rates = measure(database, count, "speed")
    peaks = [measure(database, size, "memory")["peak"] for size in (SMALL, LARGE)]
    print(f"{name}, {count:,} customers over HTTP")
    print(f"  HTTP and records alone {rates['http']:10,.0f} rows/s")
    print(f"  update_or_create loop  {rates['loop']:10,.0f} rows/s")
    print(f"  the same once more     {rates['loop again']:10,.0f} rows/s")
    for work, plain in (("first load", "loop"), ("unchanged", "loop again")):
        target = TARGETS[work].get(name)
        wanted = f" (at least {target})" if target else ""
        print(f"  {work:22} {rates[work]:10,.0f} rows/s: {rates[work] / rates[plain]:.1f} times{wanted}")
    print(f"  queries a page         {rates['queries']:10} (at most 5)")
    growth = peaks[1] - peaks[0]
    print(f"  memory                 {growth:10.1f} MiB more for {LARGE:,} than for {SMALL:,} (less than 20)")


if __name__ == "__main__":
    sys.stdout.reconfigure(line_buffering=True)
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    for name, database in DATABASES.items():
        if database != "":
            report(name, database, count)
