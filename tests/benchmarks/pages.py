"""
The database time of each page of the admin on a large site: ``python -m tests.benchmarks.pages [MESSAGES]``.

Fills a database with MESSAGES messages (by default a million), a fifth as many customers, and payments,
rewards and sign-ups of the same customers, with 10,000 partners. Then opens every page several times, and
takes the median of the time of its queries. For PostgreSQL on this machine, this is the time on a CPU of the
process of the connection, so that other processes do not count. Ends with status 1 if a page takes longer
than TARGET, or than its entry in LONGER.

Runs on SQLite, or on the database of DATABASE_URL. ``--keep`` leaves the database, ``--use`` takes it again.
"""

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from statistics import median

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.benchmarks.settings")

import django
from django.db import connection

django.setup()

#: Milliseconds of all queries of a page, on PostgreSQL.
TARGET = 300
#: A report of a year adds up 400,000 payments.
LONGER = {"report, a year": 3000}
TIMES = 3
PARTNERS = 10_000
#: The ages of the rows: two years.
DAYS = 730


class Filler:
    """Fills tables by ``INSERT … SELECT``, in the dialect of the database."""

    def __init__(self, messages: int) -> None:
        from django.utils import timezone

        self.messages, self.customers = messages, messages // 5
        self.now = timezone.now()
        self.vendor = connection.vendor

    def text(self, prefix: str, number: str = "n") -> str:
        return f"CONCAT('{prefix}', {number})" if self.vendor == "mysql" else f"('{prefix}' || ({number}))"

    def at(self, total: int) -> str:
        """A time between DAYS ago and now, by the number of the row: rows are as old as their keys."""
        start = self.now - timedelta(days=DAYS)
        seconds = f"(n * {DAYS * 86400 // total})"
        literal = f"'{start:%Y-%m-%d %H:%M:%S}'"
        return {
            "postgresql": f"(timestamptz {literal} + {seconds} * interval '1 second')",
            "mysql": f"({literal} + INTERVAL {seconds} SECOND)",
            "sqlite": f"datetime({literal}, '+' || {seconds} || ' seconds')",
        }[self.vendor]

    def numbers(self, total: int) -> str:
        return {
            "postgresql": f"generate_series(1, {total}) AS t(n)",
            "mysql": f"(SELECT seq AS n FROM seq_1_to_{total}) AS t",
            "sqlite": (
                "(WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t "
                f"WHERE n < {total}) SELECT n FROM t)"
            ),
        }[self.vendor]

    def insert(self, model: type, total: int, **values: str) -> None:
        quote = connection.ops.quote_name
        row = {}
        for field in model._meta.concrete_fields:
            if not field.primary_key:
                row[field.column] = values.pop(field.attname, None) or self.default(field)
        assert not values, values
        columns = ", ".join(map(quote, row))
        with connection.cursor() as cursor:
            cursor.execute(
                f"INSERT INTO {quote(model._meta.db_table)} ({columns}) "
                f"SELECT {', '.join(row.values())} FROM {self.numbers(total)}"
            )

    def default(self, field) -> str:
        if field.null:
            return "NULL"
        kind = field.get_internal_type()
        if kind == "JSONField":
            return (
                "'[]'" if field.default is list else '\'{"key": "as received", "name": "about this long"}\''
            )
        if kind == "BooleanField":
            return "false"
        if "Integer" in kind:
            return str(field.default)
        return "''"

    def fill(self) -> None:
        from django_partnerstack import models

        mode, n = "'test'", self.customers
        partner = f"(n % {PARTNERS})"
        self.insert(
            models.Partnership,
            PARTNERS,
            mode=mode,
            key=self.text("part_"),
            partner_key=self.text("partner"),
            email=self.text("partner-at-", "n"),
            first_name=self.text("First"),
            last_name=self.text("Last"),
            group_key=self.text("grup_", "n % 5"),
            remote_created_at=self.at(PARTNERS),
        )
        self.insert(models.Group, 5, mode=mode, key=self.text("grup_", "n - 1"), name=self.text("Group "))
        self.insert(
            models.Customer,
            n,
            mode=mode,
            key=self.text("cus_"),
            customer_key=self.text("shop-account-"),
            email=self.text("customer-at-"),
            name=self.text("Company "),
            partnership_key=self.text("part_", partner),
            partner_key=self.text("partner", partner),
            remote_created_at=self.at(n),
        )
        self.insert(
            models.Attribution,
            n,
            mode=mode,
            customer_key=self.text("shop-account-"),
            source="'shop.account'",
            source_pk=self.text(""),
            method="'cookie'",
            click_id=self.text("click-"),
            partner_key=f"CASE WHEN n % 3 = 0 THEN '' ELSE {self.text('partner', partner)} END",
            clicked_at=self.at(n),
            bound_at=self.at(n),
        )
        payments = self.messages - n
        before = "(n - 1) || '~r1'" if self.vendor != "mysql" else "CONCAT(n - 1, '~r1')"
        self.insert(
            models.Transaction,
            payments,
            mode=mode,
            # Two of a hundred are the rest of the payment before.
            key=f"CASE WHEN n % 50 = 0 THEN {self.text('payment-', before)} ELSE {self.text('payment-')} END",
            customer_key=self.text("cus_", f"1 + n % {n}"),
            customer_external_key=self.text("shop-account-", f"1 + n % {n}"),
            amount="100 + n % 10000",
            currency="CASE WHEN n % 4 = 0 THEN 'EUR' ELSE 'USD' END",
            archived="(n % 20 = 0 OR n % 50 = 49)",
            remote_created_at=self.at(payments),
        )
        self.insert(
            models.Reward,
            payments // 2,
            mode=mode,
            key=self.text("rwrd_"),
            amount="10 + n % 1000",
            currency="'USD'",
            reward_status="CASE WHEN n % 4 = 0 THEN 'pending' ELSE 'approved' END",
            partnership_key=self.text("part_", partner),
            customer_key=self.text("cus_", f"1 + n % {n}"),
            transaction_key=self.text("payment-"),
            remote_created_at=self.at(payments // 2),
        )
        self.insert(
            models.OutboxMessage,
            self.messages,
            mode=mode,
            lane=self.text("customer:shop-account-", f"1 + n % {n}"),
            operation="'transactions.create'",
            subject=self.text("payment-"),
            payload='\'{"key": "payment", "amount": 4900, "currency": "USD"}\'',
            fingerprint=self.text("", "n"),
            dedupe_key=self.text("transactions.create:payment-"),
            source="'shop.payment'",
            source_pk=self.text(""),
            state="CASE WHEN n % 1000 = 0 THEN 'dead' WHEN n % 10 = 0 THEN 'organic' ELSE 'delivered' END",
            attempts="1",
            queued_at=self.at(self.messages),
            finished_at=self.at(self.messages),
        )
        self.insert(models.OutboxLane, n, mode=mode, key=self.text("customer:shop-account-"), status="'open'")
        self.insert(models.ThrottleState, 1, mode=mode)
        self.analyze()

    def analyze(self) -> None:
        tables = [
            table for table in connection.introspection.table_names() if table.startswith("partnerstack_")
        ]
        with connection.cursor() as cursor:
            if self.vendor == "postgresql":
                cursor.execute("VACUUM ANALYZE")
            elif self.vendor == "mysql":
                cursor.execute(f"ANALYZE TABLE {', '.join(tables)}")
                cursor.fetchall()
            else:
                cursor.execute("ANALYZE")


def pages(total: int) -> Iterator[tuple[str, str]]:
    """Names and addresses."""
    from django.utils import timezone

    from django_partnerstack.models import Customer, OutboxMessage, Partnership

    here, today = "/admin/partnerstack/", timezone.localdate()
    month = f"__year={today.year}&{{0}}__month={today.month}"
    created = "remote_created_at" + month.format("remote_created_at")
    yield "overview", here
    yield "report, this month", f"{here}partnership/report/"
    yield "report, a year", f"{here}partnership/report/?from={today.year - 1}-01&to={today.year - 1}-12"
    yield "messages", f"{here}outboxmessage/"
    yield "messages, last page", f"{here}outboxmessage/?p=100"
    yield "messages, failed", f"{here}outboxmessage/?state__exact=dead"
    yield "messages, by key", f"{here}outboxmessage/?q=payment-{total // 3}"
    yield "messages, by e-mail", f"{here}outboxmessage/?q=customer-at-{total // 7}"
    yield "messages, by @", f"{here}outboxmessage/?q=nobody@x.example"
    yield "a message", f"{here}outboxmessage/{OutboxMessage.objects.order_by('pk')[total // 2].pk}/change/"
    yield "customers", f"{here}customer/"
    yield "customers, by name", f"{here}customer/?q=Company {total // 9}"
    yield "customers, of a partner", f"{here}customer/?partner=partner77"
    yield "customers, this month", f"{here}customer/?{created}"
    yield "a customer", f"{here}customer/{Customer.objects.order_by('pk')[total // 50].pk}/change/"
    yield "transactions", f"{here}transaction/"
    yield "transactions, this month", f"{here}transaction/?{created}"
    yield "transactions, of a partner", f"{here}transaction/?partner=partner77"
    yield "transactions, by e-mail", f"{here}transaction/?q=customer-at-{total // 7}"
    yield "transactions, by key", f"{here}transaction/?q=payment-{total // 3}"
    yield "rewards", f"{here}reward/"
    yield "rewards, pending", f"{here}reward/?reward_status=pending"
    yield "rewards, of a partner", f"{here}reward/?partner=partner77"
    yield "attributions", f"{here}attribution/"
    yield "attributions, organic", f"{here}attribution/?organic=yes"
    yield "attributions, by e-mail", f"{here}attribution/?q=customer-at-{total // 7}"
    yield "partnerships", f"{here}partnership/"
    yield "partnerships, of a group", f"{here}partnership/?group_key=grup_1"
    yield "a partnership", f"{here}partnership/{Partnership.objects.get(key='part_77').pk}/change/"


@contextmanager
def filled(messages: int) -> Iterator[None]:
    name = None
    if "--use" in sys.argv:
        connection.settings_dict["NAME"] = str(connection.creation._get_test_db_name())
    else:
        name = connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
        begin = time.perf_counter()
        Filler(messages).fill()
        print(f"Filled in {time.perf_counter() - begin:.0f} s.")
    try:
        yield
    finally:
        if name and "--keep" not in sys.argv:
            connection.creation.destroy_test_db(name, verbosity=0)


class Clock:
    """Milliseconds: of a CPU for a PostgreSQL on this machine, otherwise of the clock on the wall."""

    def __init__(self) -> None:
        self.stat = None
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                # A parallel worker is another process, whose time would not count.
                cursor.execute("SET max_parallel_workers_per_gather = 0")
                cursor.execute("SELECT pg_backend_pid()")
                stat = Path(f"/proc/{cursor.fetchone()[0]}/schedstat")
            self.stat = stat if stat.exists() else None

    def now(self) -> float:
        if self.stat is None:
            return 1000 * time.perf_counter()
        return int(self.stat.read_text().split()[0]) / 1e6


def measure(open_page: Callable[[], object], clock: Clock) -> tuple[float, int, str]:
    """The milliseconds and the number of all queries, and the slowest query."""
    queries: list[tuple[float, str]] = []

    def timed(execute: Callable, sql: str, params: object, many: bool, context: dict) -> object:
        begin = clock.now()
        try:
            return execute(sql, params, many, context)
        finally:
            queries.append((clock.now() - begin, sql))

    with connection.execute_wrapper(timed):
        response = open_page()
    assert response.status_code == 200, response.status_code
    slowest = max(queries)
    return sum(spent for spent, _ in queries), len(queries), f"{slowest[0]:.0f} ms: {slowest[1][:3000]}"


def main(messages: int) -> int:
    from django.contrib.auth.models import User
    from django.test import Client

    browser = Client()
    browser.force_login(User.objects.get_or_create(username="boss", is_superuser=True, is_staff=True)[0])
    late, clock = 0, Clock()
    only = [each.removeprefix("--only=") for each in sys.argv if each.startswith("--only=")]
    for name, url in pages(messages):
        if only and only[0] not in name:
            continue
        runs = [measure(lambda url=url: browser.get(url), clock) for _ in range(TIMES)]
        spent, number = median(run[0] for run in runs), runs[0][1]
        is_late = spent > LONGER.get(name, TARGET)
        late += is_late
        print(f"{name:30} {spent:7.0f} ms  {number:3} queries{'  LATE' if is_late else ''}")
        if only or "--slowest" in sys.argv:
            print("   ", runs[-1][2])
    return late if connection.vendor == "postgresql" else 0


if __name__ == "__main__":
    sys.stdout.reconfigure(line_buffering=True)
    number = next((int(each) for each in sys.argv[1:] if each.isdecimal()), 1_000_000)
    with filled(number):
        failed = main(number)
    sys.exit(1 if failed else 0)
