"""
What it costs the site to save a reported object: ``python -m tests.benchmarks.saves [BEFORE]``.

Compares what a report adds to a save with what an INSERT of the same message in a savepoint adds, with
Django's ORM ("by hand"); this is the least that a site would write itself. ``BEFORE``: a directory with
another version of this repository, which is measured in the same run. The versions and the kinds of saves
alternate, because other work may share the machine; prints medians.

Runs on SQLite, and on the databases of ``POSTGRESQL_URL`` and ``MARIADB_URL``; an empty value skips a
database.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from decimal import Decimal
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from django_partnerstack.models import OutboxMessage
    from tests.shop.models import Payment

HERE = Path(__file__).resolve().parents[2]
DATABASES = {
    "SQLite": "",
    "PostgreSQL": os.environ.get("POSTGRESQL_URL", "postgres:///partnerstack"),
    "MariaDB": os.environ.get("MARIADB_URL", "mysql://root@127.0.0.1/partnerstack"),
}
ROUNDS, SAVES, OLDER = 10, 20, 10_000
#: The most that a reported save may cost, in saves by hand.
MOST = 1.1


class Saves:
    """Saves objects of the shop, reported and not reported."""

    def __init__(self) -> None:
        from tests.shop.models import Account

        self.numbers = iter(range(1_000_000_000))
        self.account = Account.objects.create(email="owner@example.com", partner_key="gstest")
        self.ways = {
            "payment": (self.payment, self.payment_plain),
            "new customer": (self.customer, self.customer_plain),
            "changed": (self.changed, self.changed_plain),
            "unchanged": (self.account.save, self.unchanged_plain),
            "by hand": (self.by_hand, self.payment_plain),
        }

    def round(self) -> dict[str, list[float]]:
        """The milliseconds that each kind of save takes longer than the same save without a report."""
        return {
            name: [milliseconds(reported) - milliseconds(plain) for _ in range(SAVES)]
            for name, (reported, plain) in self.ways.items()
        }

    def statements(self) -> dict[str, int]:
        """How many more statements each kind of save takes."""
        return {name: executed(reported) - executed(plain) for name, (reported, plain) in self.ways.items()}

    def _payment(self) -> Payment:
        from tests.shop.models import Payment

        return Payment(account=self.account, total=Decimal("49.00"), currency="USD")

    def payment(self) -> None:
        self._payment().save()

    def payment_plain(self) -> None:
        self._payment().save_base(raw=True)

    def by_hand(self) -> None:
        from django.db import transaction

        payment = self._payment()
        payment.save_base(raw=True)
        with transaction.atomic():
            message_by_hand(payment).save(force_insert=True)

    def customer(self, **how: bool) -> None:
        from tests.shop.models import Account

        Account(email="new@example.com", partner_key="gstest").save_base(**how)

    def customer_plain(self) -> None:
        self.customer(raw=True)

    def changed(self) -> None:
        self.account.email = f"{next(self.numbers)}@example.com"
        self.account.save()

    def changed_plain(self) -> None:
        before, self.account.email = self.account.email, f"{next(self.numbers)}@example.com"
        self.account.save_base(raw=True)
        self.account.email = before

    def unchanged_plain(self) -> None:
        self.account.save_base(raw=True)


def milliseconds(save: Callable[[], None]) -> float:
    from django.db import transaction

    begin = time.perf_counter()
    with transaction.atomic():
        save()
    return 1000 * (time.perf_counter() - begin)


def executed(save: Callable[[], None]) -> int:
    from django.db import connection, transaction
    from django.test.utils import CaptureQueriesContext

    with CaptureQueriesContext(connection) as captured, transaction.atomic():
        save()
    return len(captured)


def message_by_hand(payment: Payment) -> OutboxMessage:
    from django.utils import timezone

    from django_partnerstack.models import OutboxMessage

    key = f"by-hand-{payment.pk}"
    return OutboxMessage(
        mode="test",
        lane="customer:account-1",
        operation="transactions.create",
        subject=key,
        payload={"key": key, "customer_external_key": "account-1", "amount": 4900, "currency": "USD"},
        fingerprint="0" * 64,
        dedupe_key=f"transactions.create:{key}",
        source="shop.payment",
        source_pk=str(payment.pk),
        queued_at=timezone.now(),
    )


def fill() -> None:
    """Because PostgreSQL chooses a wrong index without statistics of the table."""
    from django.db import connection
    from django.utils import timezone

    from django_partnerstack.models import OutboxMessage

    OutboxMessage.objects.bulk_create(
        OutboxMessage(
            mode="test",
            lane=f"customer:{number % 1_000}",
            operation="transactions.create",
            subject=f"older-{number}",
            dedupe_key=f"transactions.create:older-{number}",
            payload={},
            queued_at=timezone.now(),
        )
        for number in range(OLDER)
    )
    table = f"TABLE {OutboxMessage._meta.db_table}" if connection.vendor == "mysql" else ""
    with connection.cursor() as cursor:
        cursor.execute(f"ANALYZE {table}")


def serve() -> None:
    """Measure a round for each line that is read. Uses nothing that only this version has."""
    import django

    django.setup()
    from tests.benchmarks.pull import database

    answers = os.fdopen(os.dup(1), "w")
    with database():
        fill()
        saves = Saves()
        for line in sys.stdin:
            found = saves.statements() if line.strip() == "statements" else saves.round()
            print(json.dumps(found), file=answers, flush=True)


class Version:
    """A process with one version of this repository."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.times: dict[str, list[float]] = {}

    def ask(self, what: str) -> Any:
        to, answers = self.process.stdin, self.process.stdout
        assert to is not None
        assert answers is not None
        print(what, file=to, flush=True)
        return json.loads(answers.readline())

    def round(self) -> None:
        for name, times in self.ask("round").items():
            self.times.setdefault(name, []).extend(times)


@contextmanager
def version(directory: Path, url: str, name: str) -> Iterator[Version]:
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "tests.benchmarks.settings",
        "PYTHONPATH": str(directory),
        "DATABASE_URL": f"{url}_{name}",
    }
    if not url:
        del environment["DATABASE_URL"]
    with subprocess.Popen(
        [sys.executable, str(Path(__file__).resolve()), "--serve"],
        cwd=directory,
        env=environment,
        text=True,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        yield Version(process)
        assert process.stdin is not None
        process.stdin.close()


def compare(database: str, url: str, directories: dict[str, Path]) -> None:
    with ExitStack() as processes:
        versions = {
            name: processes.enter_context(version(directory, url, name))
            for name, directory in directories.items()
        }
        statements = {name: each.ask("statements") for name, each in versions.items()}
        for number in range(ROUNDS + 1):
            for each in versions.values():
                each.round()
                if not number:
                    each.times.clear()  # The first round compiles statements.
    by_hand = median(time for each in versions.values() for time in each.times["by hand"])
    print(f"{database}: by hand adds {by_hand:.2f} ms and {statements['now']['by hand']} statements")
    for name, each in versions.items():
        for way, times in each.times.items():
            if way != "by hand":
                added = median(times)
                wanted = f" (at most {MOST})" if name == "now" else ""
                print(
                    f"  {name:7} {way:13} {added:6.2f} ms, {statements[name][way]} statements: "
                    f"{added / by_hand:.2f} times{wanted}"
                )


if __name__ == "__main__":
    if sys.argv[1:] == ["--serve"]:
        serve()
    else:
        sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
        directories = {"now": HERE}
        if len(sys.argv) > 1:
            directories = {"before": Path(sys.argv[1]).resolve(), "now": HERE}
        for name, url in DATABASES.items():
            if url or name == "SQLite":
                compare(name, url, directories)
