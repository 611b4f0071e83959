"""A process of the site queues a message; a real Celery or Django task worker delivers it."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from django.apps import apps
from kombu import Connection
from kombu.exceptions import OperationalError

from .conftest import Site
from .processes import until

# The tests share the brokers.
pytestmark = pytest.mark.xdist_group("brokers")

BROKERS = {
    "redis": os.environ.get("REDIS_URL", "redis://127.0.0.1:6379/0"),
    "rabbitmq": os.environ.get("RABBITMQ_URL", "amqp://guest:guest@127.0.0.1:5672//"),
}


@pytest.fixture
def broker(request: pytest.FixtureRequest, site: Site) -> Iterator[str]:
    """The address of a running broker. The test leaves nothing in it."""
    name = request.param
    url = BROKERS[name]
    try:
        with Connection(url, connect_timeout=2) as connection:
            connection.ensure_connection(max_retries=1, timeout=2)
    except OperationalError as error:
        pytest.skip(f"no {name} answers: {error}")
    yield url
    site.end()
    if name == "redis":
        with Connection(url) as connection:
            client = connection.channel().client
            if keys := client.keys(f"{site.name}:*"):
                client.delete(*keys)


def test_a_process_that_ends_at_once_delivers_by_itself_before(site: Site) -> None:
    assert site.sell(TEST_DISPATCH="immediate") == ""
    site.expect_delivery()


@pytest.mark.parametrize(
    ("broker", "pool"), [("redis", "solo"), ("rabbitmq", "threads")], indirect=["broker"]
)
def test_a_celery_worker_delivers(site: Site, broker: str, pool: str) -> None:
    celery = {"TEST_DISPATCH": "celery", "TEST_BROKER_URL": broker}
    options = ("--pool", pool, "--loglevel", "INFO", "--without-gossip", "--without-mingle")
    worker = site.start("celery", "-A", "tests.dispatch.celery_app", "worker", *options, **celery)
    until(lambda: " ready." in worker.printed, seconds=20, output=site.output)
    assert site.sell(**celery) == ""
    site.expect_delivery()
    worker.popen.terminate()
    assert worker.popen.wait(20) == 0
    assert "Traceback" not in worker.printed


def test_a_broker_that_is_down_is_logged_and_breaks_nothing(site: Site) -> None:
    printed = site.sell(TEST_DISPATCH="celery", TEST_BROKER_URL="redis://127.0.0.1:1/0")
    assert printed.count("The wake-up failed") == 1
    assert not site.sandbox.effects


@pytest.mark.skipif(not apps.is_installed("django_tasks_db"), reason="needs Django 6 and django-tasks-db")
def test_a_django_task_worker_delivers(site: Site) -> None:
    options = ("--interval", "0.1", "--no-startup-delay", "--max-tasks", "1")
    worker = site.start("django", "db_worker", *options, TEST_DISPATCH="tasks")
    assert site.sell(TEST_DISPATCH="tasks") == ""
    site.expect_delivery()
    assert worker.popen.wait(20) == 0
