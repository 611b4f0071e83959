"""
The queries of the status of a site with a million messages: ``python -m tests.benchmarks.status [MESSAGES]``.

Runs on the database of ``DATABASE_URL`` or ``POSTGRESQL_URL``, in a test database of its own. Prints the time
of each query, the median of five runs, and exits with status 1 if one takes 50 ms or more.
"""

import os
import sys
from collections.abc import Callable
from datetime import timedelta
from statistics import median
from typing import Any

import django
from django.db import connection
from django.db.models import Model
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from .pull import database

MOST_MS, RUNS = 50, 5

#: Of 100 messages: a site that has everything to look at, in large numbers. The others are delivered.
STATES = {"dead": 4, "held": 4, "waiting": 4, "new": 4, "ready": 4, "unknown": 2, "blocked": 2, "organic": 20}


def fill(model: type[Model], rows: int, /, **expressions: str) -> None:
    """Insert rows by one statement. ``expressions``: SQL of columns, in which ``i`` counts the rows."""
    columns, values, parameters = [], [], []
    for field in model._meta.local_concrete_fields:
        if field.primary_key:
            continue
        columns.append(connection.ops.quote_name(field.column))
        if field.name in expressions:
            values.append(expressions[field.name])
        else:
            values.append("%s")
            default = field.get_default()
            parameters.append(
                field.get_db_prep_save("" if default is None and not field.null else default, connection)
            )
    numbers = "WITH RECURSIVE numbers(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM numbers WHERE i < %s)"
    table = connection.ops.quote_name(model._meta.db_table)
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {table} ({', '.join(columns)}) {numbers} SELECT {', '.join(values)} FROM numbers",
            [rows, *parameters],
        )


def by_share(shares: dict[str, int], other: str) -> str:
    """A text by the last two digits of ``i``."""
    cases, end = [], 0
    for text, share in shares.items():
        end += share
        cases.append(f"WHEN i %% 100 < {end} THEN '{text}'")
    return f"CASE {' '.join(cases)} ELSE '{other}' END"


def fill_site(messages: int) -> None:
    from django_partnerstack.models import (
        Attempt,
        Attribution,
        Customer,
        OutboxLane,
        OutboxMessage,
        SourceFailure,
        WebhookEvent,
    )

    customers = messages // 5
    now = timezone.now()

    def moment(**ago: float) -> str:
        adapted = connection.ops.adapt_datetimefield_value(now - timedelta(**ago))
        return f"CAST('{adapted}' AS timestamp with time zone)" if is_postgresql else f"'{adapted}'"

    is_postgresql = connection.vendor == "postgresql"
    text = "CAST(i AS CHAR(20))" if connection.vendor == "mysql" else "CAST(i AS varchar(20))"
    key = f"CONCAT('shop-account-', {text})" if connection.vendor == "mysql" else f"'shop-account-' || {text}"
    ages = (moment(minutes=30), moment(hours=5), moment(days=9))
    recent = "CASE WHEN i %% 5 = 0 THEN {} WHEN i %% 5 = 1 THEN {} ELSE {} END".format(*ages)
    json, mode = "'{}'", "'test'"
    lane = key.replace("shop-account-", "customer:shop-account-").replace("(i", f"(i %% {customers}")
    fill(
        OutboxMessage,
        messages,
        mode=mode,
        lane=lane,
        operation="'transactions.create'",
        subject=key,
        payload=json,
        attributed_to=json,
        state=by_share(STATES, "delivered"),
        queued_at=recent,
        finished_at=recent,
    )
    outcomes = by_share({"failed": 5, "retry": 5, "found": 10}, "delivered")
    fill(
        Attempt,
        messages,
        mode=mode,
        message="i",
        kind="'send'",
        number="1",
        started_at=recent,
        outcome=outcomes,
    )
    fill(
        OutboxLane,
        customers,
        mode=mode,
        key=f"{key.replace('shop-account-', 'customer:shop-account-')}",
        status="'open'",
        due_at=recent,
    )
    fill(Customer, customers, mode=mode, key=key, customer_key=key, raw=json)
    partner = "CASE WHEN i %% 3 = 0 THEN '' ELSE 'ada' END"
    fill(
        Attribution,
        customers,
        mode=mode,
        customer_key=key,
        partner_key=partner,
        bound_at=recent,
        earlier_clicks="'[]'",
        visit=json,
    )
    fill(
        SourceFailure,
        customers // 10,
        mode=mode,
        source="'shop.account'",
        source_pk=text,
        first_failed_at=recent,
        last_failed_at=recent,
        times="1",
    )
    states = by_share({"failed": 10, "received": 30}, "done")
    fill(
        WebhookEvent,
        customers,
        mode=mode,
        digest=key,
        state=states,
        window=recent,
        first_received_at=recent,
        last_received_at=recent,
        due_at=recent,
        times_received="1",
        attempts="0",
    )
    with connection.cursor() as cursor:
        if is_postgresql:
            cursor.execute("VACUUM ANALYZE")
        else:
            for model in (OutboxMessage, Attempt, OutboxLane, Attribution, WebhookEvent):
                cursor.execute(
                    f"ANALYZE {'TABLE' if connection.vendor == 'mysql' else ''} {model._meta.db_table}"
                )
                cursor.fetchall()


def times(run: Callable[[], Any]) -> dict[str, float]:
    """The median time of each query that a function takes, in milliseconds."""
    measured: dict[str, list[float]] = {}
    for _ in range(RUNS):
        with CaptureQueriesContext(connection) as captured:
            run()
        for query in captured.captured_queries:
            measured.setdefault(query["sql"], []).append(float(query["time"]) * 1000)
    return {sql: median(found) for sql, found in measured.items()}


def main(messages: int) -> int:
    from django_partnerstack.status import health

    fill_site(messages)
    now = timezone.now()
    measured = times(lambda: health(now=now))
    for sql, milliseconds in measured.items():
        print(f"{milliseconds:8.1f} ms  {sql[:100]}")
    print(f"{sum(measured.values()):8.1f} ms  together")
    slow = [sql for sql, milliseconds in measured.items() if milliseconds >= MOST_MS]
    for sql in slow:
        print(f"Too slow: {sql}")
    return 1 if slow else 0


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.benchmarks.settings")
    os.environ.setdefault("DATABASE_URL", os.environ.get("POSTGRESQL_URL", "postgres:///partnerstack"))
    django.setup()
    with database():
        sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000))
