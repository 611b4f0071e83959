"""
Send the same messages to the same sink through this app's outbox and through other queues.

Run as a program with the name of a queue, the URL of the sink and the number of messages; prints JSON. Each
run has its own process and database, with one worker process. Every queue commits each outcome.
"""

import asyncio
import json
import resource
import sys
import threading
import time
from collections.abc import Callable

import django
import requests
from django.db import connection, transaction

from .pull import database

THREADS = 8


def payload(number: int) -> dict:
    return {"key": f"payment-{number}", "customer_external_key": "a-1", "amount": 4900, "currency": "USD"}


def outbox(url: str, count: int) -> Callable[[], None]:
    from django_partnerstack.client import Client
    from django_partnerstack.outbox.delivery.loop import DeliveryLoop
    from django_partnerstack.outbox.queue.messages import enqueue
    from django_partnerstack.outbox.queue.new_message import NewMessage

    for number in range(count):
        # Each in its own transaction, as in a site.
        message = NewMessage(
            operation="transactions.create",
            lane=f"partnership:{number}",
            subject=f"payment-{number}",
            payload=payload(number),
        )
        assert enqueue(message, mode="test")
    client = Client("pk_benchmark", "sk_benchmark", api_url=f"{url}/api/v2")
    worker = DeliveryLoop(client, mode="test", threads=THREADS, requests_per_minute=10_000_000)

    def deliver() -> None:
        counts = worker.run()
        assert counts == {"delivered": count}, counts

    return deliver


local = threading.local()


def post(url: str, number: int) -> None:
    """A task as a site would write it. Each thread keeps its connection."""
    if not hasattr(local, "session"):
        local.session = requests.Session()
    local.session.post(f"{url}/api/v2/transactions", json=payload(number), timeout=30).raise_for_status()


def procrastinate(url: str, count: int) -> Callable[[], None]:
    """Eight at a time, each in a thread."""
    import procrastinate

    settings = connection.get_connection_params()
    conninfo = " ".join(
        f"{key}={settings[key]}" for key in ("dbname", "host", "user", "port") if settings.get(key)
    )
    app = procrastinate.App(connector=procrastinate.PsycopgConnector(conninfo=conninfo))

    @app.task(name="post")
    def task(number: int) -> None:
        post(url, number)

    async def prepare() -> None:
        async with app.open_async():
            await app.schema_manager.apply_schema_async()
            await task.batch_defer_async(*({"number": number} for number in range(count)))

    async def work() -> None:
        async with app.open_async():
            await app.run_worker_async(concurrency=THREADS, wait=False, install_signal_handlers=False)

    asyncio.run(prepare())
    return lambda: asyncio.run(work())


def tasks_db(url: str, count: int) -> Callable[[], None]:
    """Its worker runs one task after the other."""
    from django.core.management import call_command
    from django.tasks import task

    # A worker finds a task by the path of its function.
    globals()["post"] = send = task(post)
    with transaction.atomic():
        for number in range(count):
            send.enqueue(url, number)
    return lambda: call_command("db_worker", batch=True, verbosity=0, interval=0)


if __name__ == "__main__":
    django.setup()
    name, url, count = sys.argv[1:]
    with database():
        work = {"outbox": outbox, "procrastinate": procrastinate, "tasks_db": tasks_db}[name](url, int(count))
        begin = time.perf_counter()
        work()
        seconds = time.perf_counter() - begin
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"rate": int(count) / seconds, "peak": peak}))
