"""The launch rehearsal ticks each step, copes with every uncertain answer, and leaves nothing behind."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from django_partnerstack.insight.doctor import Item, Rehearsal, Watch, watched_client
from django_partnerstack.models import (
    Customer,
    CustomerIdentity,
    OutboxMessage,
    ReportedKey,
    Transaction,
)
from django_partnerstack.sandbox import PRODUCTION_KEYS, Sandbox

STEPS = [
    "find the test partner",
    "remove what an earlier rehearsal left",
    "create a test customer",
    "read the customer back",
    "create a test transaction",
    "read the transaction back",
    "remove the test transaction",
    "remove the test customer",
]


class Time:
    """A clock that only waiting moves."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0
        self.at_pause: Callable[[], object] = lambda: None

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.at_pause()
        self.now += seconds


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def sandbox(time: Time) -> Sandbox:
    return Sandbox(partnerships=2, clock=time)


@pytest.fixture
def rehearse(healthy: Sandbox, time: Time) -> Callable[..., dict[str, Item]]:
    """Rehearse, and return the steps by name."""

    def run(**options: Any) -> dict[str, Item]:
        items: list[Item] = []
        with watched_client(Watch(), attempts=1, deadline=5) as client:
            Rehearsal(client, items.append, sleep=time.sleep, clock=time, **options).run()
        return {item.name.removeprefix("Rehearsal, "): item for item in items}

    return run


def codes(steps: dict[str, Item]) -> list[str]:
    return [finding.code for item in steps.values() for finding in item.findings]


def left(sandbox: Sandbox) -> list[str]:
    """The keys of what is not removed at PartnerStack, in both modes."""
    return [
        row["key"]
        for mode in ("test", "production")
        for name in ("customers", "transactions", "rewards")
        for row in sandbox.objects(name, mode)
    ]


def test_each_step_is_ticked_and_nothing_is_left(
    rehearse: Callable[..., dict[str, Item]], sandbox: Sandbox
) -> None:
    steps = rehearse()
    assert list(steps) == STEPS
    assert {item.state for item in steps.values()} == {"ok"}
    assert all(item.seconds is not None for item in steps.values())
    done = {verb: times for (mode, verb, _), times in sandbox.effects.items() if mode == "test"}
    assert done == dict.fromkeys(
        ("customers.create", "transactions.create", "transactions.delete", "customers.delete"), 1
    )
    assert left(sandbox) == []


def test_the_site_has_no_rows_of_it(rehearse: Callable[..., dict[str, Item]]) -> None:
    rehearse()
    for model in (OutboxMessage, Customer, Transaction, CustomerIdentity, ReportedKey):
        assert not model.objects.exists()


def test_production_mode_is_refused_before_anything_is_sent(
    rehearse: Callable[..., dict[str, Item]], sandbox: Sandbox, settings: Any
) -> None:
    settings.PARTNERSTACK_MODE = "production"
    with pytest.raises(ValueError, match="test mode"):
        rehearse()
    assert not sandbox.effects


def test_production_keys_in_test_mode_are_noticed_before_anything_is_created(
    rehearse: Callable[..., dict[str, Item]], sandbox: Sandbox, settings: Any
) -> None:
    settings.PARTNERSTACK_PUBLIC_KEY, settings.PARTNERSTACK_SECRET_KEY = PRODUCTION_KEYS
    steps = rehearse()
    assert codes(steps) == ["test-partner-missing"]
    assert not sandbox.effects


def test_a_production_customer_by_mistake_is_noticed_and_removed(
    rehearse: Callable[..., dict[str, Item]], sandbox: Sandbox, settings: Any
) -> None:
    settings.PARTNERSTACK_PUBLIC_KEY, settings.PARTNERSTACK_SECRET_KEY = PRODUCTION_KEYS
    sandbox.create("partnerships", mode="production", partner_key="gstest", email="t@partners.example")
    steps = rehearse()
    assert codes(steps) == ["mode-mismatch"]
    assert left(sandbox) == []


@pytest.mark.parametrize(
    "behaviour",
    [
        {"read_lag": 30},
        {"read_lag": 30, "early_writes": "accepted"},
        {"create_status": "201"},
        {"nested_data": True},
        {"deletes": "remove"},
        {"second_delete": "200"},
        {"archived_flag": False},
        {"archived_listed": True, "archived_readable": False},
        {"customer_paths": ("external", "internal", "email")},
        {"inclusive_bounds": False},
        {"unknown_fields": "reject"},
        {"unknown_parameters": "empty"},
        {"status_type": "str"},
        {"clock_offset": 200},
    ],
    ids=str,
)
def test_it_succeeds_however_partnerstack_behaves(
    rehearse: Callable[..., dict[str, Item]], sandbox: Sandbox, behaviour: dict[str, Any]
) -> None:
    sandbox.behaviour.change(**behaviour)
    assert codes(rehearse()) == []
    sandbox.behaviour.change(archived_listed=False)
    assert left(sandbox) == []


WRITES = [
    ("POST", "/api/v2/customers"),
    ("POST", "/api/v2/transactions"),
    ("DELETE", "/api/v2/transactions"),
    ("DELETE", "/api/v2/customers"),
]


@pytest.mark.parametrize("after_effect", [True, False], ids=["carried out", "not carried out"])
@pytest.mark.parametrize(
    ("method", "path", "second_delete"),
    [
        (*write, second)
        for write in WRITES
        for second in ("404", "200")
        if write[0] == "DELETE" or second == "404"
    ],
)
@pytest.mark.parametrize("kind", ["status", "reset", "empty"])
def test_an_answer_in_doubt_is_looked_up_and_nothing_is_left(
    rehearse: Callable[..., dict[str, Item]],
    sandbox: Sandbox,
    kind: str,
    method: str,
    path: str,
    second_delete: str,
    after_effect: bool,
) -> None:
    sandbox.behaviour.second_delete = second_delete
    sandbox.faults.add(kind, method=method, path=path, times=1, after_effect=after_effect)
    steps = rehearse()
    assert left(sandbox) == []
    if after_effect or method == "DELETE":
        assert codes(steps) == []
    else:
        # Nobody can know that it was not carried out, so what may be left is named.
        noun = path.rpartition("/")[2].removesuffix("s")
        assert codes(steps) == ["rehearsal-not-shown", "rehearsal-left"]
        assert f"the test {noun} doctor-" in steps[f"remove the test {noun}"].findings[0].sentence


@pytest.mark.parametrize(("method", "path"), WRITES)
def test_a_request_that_had_no_effect_is_repeated(
    rehearse: Callable[..., dict[str, Item]], sandbox: Sandbox, method: str, path: str
) -> None:
    sandbox.faults.add("status", status=429, retry_after=20, method=method, path=path, times=1)
    assert codes(rehearse()) == []
    assert left(sandbox) == []


@pytest.mark.parametrize(
    "path", ["/api/v2/customers/", "/api/v2/transactions?", "/api/v2/partnerships/gstest"]
)
def test_a_read_that_fails_is_repeated(
    rehearse: Callable[..., dict[str, Item]], sandbox: Sandbox, path: str
) -> None:
    sandbox.faults.add("status", status=500, method="GET", path=path.rstrip("?"), times=3)
    assert codes(rehearse()) == []
    assert left(sandbox) == []


@pytest.mark.parametrize("status", [400, 403, 409])
def test_a_refused_transaction_ends_the_rehearsal_and_the_customer_is_removed(
    rehearse: Callable[..., dict[str, Item]], sandbox: Sandbox, status: int
) -> None:
    sandbox.faults.add("status", status=status, method="POST", path="/api/v2/transactions")
    steps = rehearse()
    assert codes(steps) == ["rehearsal-failed"]
    assert list(steps)[-2:] == ["create a test transaction", "remove the test customer"]
    assert left(sandbox) == []


def test_a_customer_that_cannot_be_read_by_its_key_is_removed_by_partnerstacks(
    rehearse: Callable[..., dict[str, Item]], sandbox: Sandbox
) -> None:
    sandbox.behaviour.customer_paths = ("internal",)
    assert codes(rehearse()) == ["rehearsal-not-shown"]
    assert left(sandbox) == []


def test_what_cannot_be_removed_is_named(rehearse: Callable[..., dict[str, Item]], sandbox: Sandbox) -> None:
    sandbox.faults.add("status", status=403, method="DELETE", path="/api/v2/customers")
    steps = rehearse()
    assert codes(steps) == ["rehearsal-left"]
    [customer] = sandbox.objects("customers", "test")
    assert customer["customer_key"] in steps["remove the test customer"].findings[0].sentence


def test_ctrl_c_in_the_middle_removes_what_was_created(
    healthy: Sandbox, sandbox: Sandbox, time: Time
) -> None:
    items: list[Item] = []

    def show(item: Item) -> None:
        items.append(item)
        if item.name.endswith("create a test transaction"):
            raise KeyboardInterrupt

    with watched_client(Watch(), attempts=1) as client, pytest.raises(KeyboardInterrupt):
        Rehearsal(client, show, sleep=time.sleep, clock=time).run()
    assert [item.name.removeprefix("Rehearsal, ") for item in items[-2:]] == STEPS[-2:]
    assert left(sandbox) == []


def test_a_second_ctrl_c_names_what_is_left(healthy: Sandbox, sandbox: Sandbox, time: Time) -> None:
    items: list[Item] = []
    sandbox.faults.add("status", status=503, method="DELETE")

    def interrupt() -> None:
        raise KeyboardInterrupt

    time.at_pause = interrupt
    with watched_client(Watch(), attempts=1) as client, pytest.raises(KeyboardInterrupt):
        Rehearsal(client, items.append, sleep=time.sleep, clock=time).run()
    assert [finding.code for item in items[-2:] for finding in item.findings] == ["rehearsal-left"] * 2
    named = " ".join(finding.sentence for item in items[-2:] for finding in item.findings)
    assert all(row["key"] in named for row in sandbox.objects("transactions", "test"))
    assert all(row["customer_key"] in named for row in sandbox.objects("customers", "test"))


def test_a_later_rehearsal_removes_what_a_killed_one_left(
    rehearse: Callable[..., dict[str, Item]], sandbox: Sandbox, time: Time
) -> None:
    for key in ("doctor-0000000000000001", "doctors"):
        sandbox.create(
            "customers", mode="test", customer_key=key, email=f"{key}@example.com", partner_key="gstest"
        )
    assert codes(rehearse()) == []
    assert len(sandbox.objects("customers", "test")) == 2
    time.now += 3601
    steps = rehearse()
    assert steps["remove what an earlier rehearsal left"].text == "Removed 1."
    assert [row["customer_key"] for row in sandbox.objects("customers", "test")] == ["doctors"]
