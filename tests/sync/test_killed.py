import json
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest
from django.db import connection

from django_partnerstack.client import Client
from django_partnerstack.models import Customer, SyncSeen, SyncState
from django_partnerstack.sandbox import TEST_KEYS, Reply, Sandbox
from django_partnerstack.sync import pull

from .dying import PLACES

pytestmark = pytest.mark.django_db(transaction=True)

PAGES = 3


class RecordingSandbox(Sandbox):
    """Records the requested paths and queries."""

    def __init__(self, **counts: int) -> None:
        super().__init__(**counts)
        self.requested: list[str] = []

    def handle(self, method: str, target: str, *args: Any) -> Reply:
        self.requested.append(target)
        return super().handle(method, target, *args)


@pytest.fixture
def sandbox() -> RecordingSandbox:
    return RecordingSandbox(partnerships=1, customers=600)


@pytest.fixture
def url(sandbox: RecordingSandbox) -> Iterator[str]:
    with sandbox.serve() as server:
        yield f"{server.url}/api/v2"


def database_url() -> str:
    """The test database, for another process."""
    name = connection.settings_dict["NAME"]
    if connection.vendor == "sqlite":
        return f"sqlite:///{name}"
    return f"{os.environ['DATABASE_URL'].rpartition('/')[0]}/{name}"


@pytest.fixture(scope="module")
def dying(django_db_setup: None) -> Iterator[Callable[..., int]]:
    """Pulls in another process, which kills itself, and returns the exit status."""
    environment = {**os.environ, "DATABASE_URL": database_url()}
    command = [sys.executable, "-m", "tests.sync.dying"]
    with subprocess.Popen(
        command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
    ) as process:

        def pull_in_child(**arguments: Any) -> int:
            process.stdin.write(json.dumps(arguments) + "\n")
            return int(process.stdout.readline())

        yield pull_in_child
        process.stdin.close()


@pytest.fixture
def pull_and_die(dying: Callable[..., int], url: str) -> Callable[..., int]:
    return partial(dying, url=url, keys=TEST_KEYS)


def pull_customers(url: str, **options: Any) -> Any:
    with Client(*TEST_KEYS, api_url=url) as client:
        return pull("customers", client=client, mode="test", **options)


def is_mirrored(sandbox: Sandbox) -> bool:
    rows = Customer.objects.filter(missing_since=None)
    return Counter((row.key, row.raw["name"]) for row in rows) == Counter(
        (item["key"], item["name"]) for item in sandbox.objects("customers")
    )


def at_most_one_page_was_read_again(sandbox: RecordingSandbox) -> bool:
    return len(set(sandbox.requested)) == PAGES and len(sandbox.requested) <= PAGES + 1


@pytest.mark.parametrize("place", PLACES)
def test_a_first_pull_that_was_killed_at_any_page_is_resumed_at_that_page(place, sandbox, url, pull_and_die):
    for page in range(1, PAGES + 1):
        Customer.objects.all().delete()
        SyncState.objects.all().delete()
        sandbox.requested.clear()
        assert pull_and_die(place=place, page=page, full=False) == -signal.SIGKILL
        assert pull_customers(url).complete
        assert is_mirrored(sandbox)
        assert at_most_one_page_was_read_again(sandbox)


@pytest.mark.parametrize("place", PLACES)
def test_a_full_pull_that_was_killed_at_any_page_finds_what_is_missing(place, sandbox, url, pull_and_die):
    pull_customers(url)
    for page in range(1, PAGES + 1):
        items = sandbox.objects("customers")
        gone = {items[number]["key"] for number in (0, 249, 250, 400, 598)}
        for number in (1, 251, 501):  # so that each page has a change
            sandbox.change("customers", items[number]["key"], name=f"Changed {page}")
        for key in gone:
            sandbox.remove("customers", key)
            sandbox.create("customers")
        missing = set(Customer.objects.exclude(missing_since=None).values_list("key", flat=True))
        sandbox.requested.clear()
        assert pull_and_die(place=place, page=page, full=True) == -signal.SIGKILL
        assert pull_customers(url, full=True).missing == 5
        assert (
            set(Customer.objects.exclude(missing_since=None).values_list("key", flat=True)) == missing | gone
        )
        assert is_mirrored(sandbox)
        assert at_most_one_page_was_read_again(sandbox)
    assert not SyncSeen.objects.exists()
