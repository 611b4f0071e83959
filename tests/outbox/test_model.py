"""
Invariants of the outbox, whatever happens in any order.

Hypothesis invents sites that report payments, workers that die, stall and come back, lost answers, clocks
that differ, and operators who act in the admin.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from django_partnerstack import sources, track
from django_partnerstack.exceptions import InvalidTransition
from django_partnerstack.models import (
    Customer,
    CustomerIdentity,
    OutboxLane,
    OutboxMessage,
    ReportedKey,
    SourceFailure,
    State,
    ThrottleState,
    Transaction,
)
from django_partnerstack.outbox.backfill import backfill
from django_partnerstack.outbox.control import actions
from django_partnerstack.outbox.queue.claim import Claimed, claim
from django_partnerstack.outbox.queue.retention import prune
from django_partnerstack.outbox.queue.sequencing.waiting import queue_waiting
from django_partnerstack.outbox.remote_search import CLOCK_SKEW
from tests.lengths import LENGTH, by_length
from tests.shop.models import Account

from .site import Site

LONG = LENGTH == "long"
EXAMPLES, STEPS = by_length(quick=(8, 50), usual=(42, 50), long=(1000, 100))

IN_PROGRESS = (State.SENDING, State.UNCONFIRMED, State.SCHEDULED)
BLOCKING_STATES = (State.FAILED, State.ON_HOLD, State.CANCELLED)
ANY = st.integers(0, 1000)

steps = Counter[str]()


class Outbox(RuleBasedStateMachine):
    @initialize(
        duplicates=st.sampled_from(["409", "400", "200", "accepted"]),
        read_lag=st.sampled_from([0, 30, 360]),
        unknown=st.sampled_from(["404", "400"]),
    )
    def begin(self, **behaviour: Any) -> None:
        for model in (
            *(OutboxMessage, OutboxLane, ReportedKey, CustomerIdentity, SourceFailure),
            *(ThrottleState, Customer, Transaction, Account),
        ):
            model.objects.all().delete()
        #: Customers whose source fails.
        self.broken: set[int] = set()
        self.source = sources.customers[Account]
        sources.customers[Account] = self.describe
        behaviour["unknown_reference"] = behaviour.pop("unknown")
        self.site, self.skew = Site(**behaviour), timedelta()
        self.site.sandbox.clock = lambda: (self.site.clock.at - self.skew).timestamp()
        self.accounts: list[Account] = []
        self.payments: dict[str, Account] = {}
        self.keys = 0
        self.stalled: list[Claimed] = []
        self.released: Counter[str] = Counter()
        for partner in (True, True, False):
            self.sign_up(partner)
            self.pay(len(self.accounts) - 1)

    def describe(self, account: Account) -> Any:
        if account.pk in self.broken:
            raise LookupError("The profile is missing.")
        return self.source(account)

    def new_key(self, kind: str) -> str:
        self.keys += 1
        return f"{kind}_{self.keys}"

    def some_account(self, which: int) -> Account | None:
        return self.accounts[which % len(self.accounts)] if self.accounts else None

    def some_message(self, which: int) -> OutboxMessage | None:
        found = list(OutboxMessage.objects.order_by("pk"))
        return found[which % len(found)] if found else None

    @rule(partner=st.booleans())
    def sign_up(self, partner: bool) -> None:
        steps["sign-ups"] += 1
        email = f"{self.new_key('a')}@customers.example"
        self.accounts.append(Account.objects.create(email=email, partner_key="gstest" if partner else ""))

    @rule(partner=st.booleans(), fails=st.booleans())
    def sign_up_without_a_word(self, partner: bool, fails: bool) -> None:
        """The customer is written in bulk. If its source fails, too, its payments wait."""
        email = f"{self.new_key('c')}@customers.example"
        Account.objects.bulk_create([Account(email=email, partner_key="gstest" if partner else "")])
        self.accounts.append(Account.objects.latest("pk"))
        if fails:
            self.broken.add(self.accounts[-1].pk)
        self.pay(len(self.accounts) - 1)

    @rule(which=ANY)
    def repair(self, which: int) -> None:
        """The source works again; the customer is found by a backfill, or with its next message."""
        if account := self.some_account(which):
            self.broken.discard(account.pk)
            if which % 2:
                backfill(Account, mode="test", on_page=lambda done: None)

    @rule(which=ANY)
    def be_found_by_a_sync(self, which: int) -> None:
        """Somebody has created a customer who waits."""
        if waiting := list(OutboxMessage.objects.filter(state=State.WAITING).order_by("pk")):
            key = waiting[which % len(waiting)].lane.removeprefix("customer:")
            account = next(each for each in self.accounts if key == f"shop-account-{each.pk}")
            existing = self.site.sandbox.objects("customers")
            if key not in [each["customer_key"] for each in existing]:
                self.site.sandbox.create(
                    "customers", customer_key=key, email=account.email, partner_key="gstest"
                )
            Customer.objects.get_or_create(mode="test", key=f"cus_{key}", customer_key=key)
            steps["found by a sync"] += queue_waiting("test", [f"cus_{key}"])

    @rule(which=ANY, partner=st.booleans())
    def change(self, which: int, partner: bool) -> None:
        if account := self.some_account(which):
            account.email = f"{self.new_key('b')}@customers.example"
            account.partner_key = "gstest" if partner else account.partner_key
            account.save()

    @rule(which=ANY)
    def pay(self, which: int) -> None:
        if account := self.some_account(which):
            key = self.new_key("invoice")
            self.payments[key] = account
            self.report(key)

    @rule(which=ANY)
    def pay_again(self, which: int) -> None:
        """The site reports a payment again."""
        if self.payments:
            self.report(list(self.payments)[which % len(self.payments)])

    def report(self, key: str) -> None:
        track.purchase(self.payments[key], amount=Decimal("49.00"), currency="USD", key=key)

    @rule()
    def prune_and_empty_the_mirrors(self) -> None:
        steps["messages pruned"] += prune("test", self.site.clock.at + timedelta(days=1))
        for mirror in (Customer, Transaction):
            mirror.objects.all().delete()

    @rule(which=ANY, amount=st.sampled_from([None, 100, 4900]))
    def refund(self, which: int, amount: int | None) -> None:
        if self.payments:
            try:
                track.refund(list(self.payments)[which % len(self.payments)], amount=amount)
            except track.RefundError:
                steps["refunds refused"] += 1

    @rule(which=ANY)
    def act(self, which: int) -> None:
        if account := self.some_account(which):
            track.event(account, "demo", key=self.new_key("event"))

    @rule()
    def work(self) -> None:
        for claimed in self.claim_some(3):
            self.site.worker.attempts.run(claimed)

    @rule()
    def work_until_idle(self) -> None:
        self.site.push()

    @rule()
    def die_after_the_claim(self) -> None:
        self.claim_some(2)

    @rule()
    def stall_after_the_claim(self) -> None:
        self.stalled += self.claim_some(2)

    @rule()
    def lose_the_lease(self) -> None:
        """A worker is back after its lease has expired and another has its message."""
        late = self.claim_some(1)
        self.site.clock.advance(seconds=self.site.worker.lease.total_seconds())
        self.stalled += self.claim_some(2)
        for claimed in late:
            self.site.worker.attempts.run(claimed)

    @rule(which=ANY)
    def come_back(self, which: int) -> None:
        if self.stalled:
            self.site.worker.attempts.run(self.stalled.pop(which % len(self.stalled)))

    def claim_some(self, limit: int) -> tuple[Claimed, ...]:
        found = claim(
            self.site.worker.throttle, self.site.worker.delivered, limit, lease=self.site.worker.lease
        ).claimed
        for claimed in found:
            mine = claimed.message
            before = OutboxMessage.objects.filter(lane=mine.lane, state__in=IN_PROGRESS).exclude(pk=mine.pk)
            earlier = [each for each in before if (each.priority, each.pk) < (mine.priority, mine.pk)]
            assert mine.in_doubt_since or not earlier, f"{mine} was sent before {earlier}"
        return found

    @rule(seconds=st.sampled_from([1, 20, 60, 110, 300, 900, 4000]))
    def wait(self, seconds: int) -> None:
        self.site.clock.advance(seconds=seconds)

    @rule(seconds=st.integers(-240, 240))
    def differ_from_partnerstack(self, seconds: int) -> None:
        """The clocks of PartnerStack and the site differ by less than CLOCK_SKEW."""
        self.skew = timedelta(seconds=seconds)
        assert abs(self.skew) < CLOCK_SKEW

    @rule(
        kind=st.sampled_from(["lost", "latency", "reset", "empty", "html", "truncated", "status"]),
        status=st.sampled_from([400, 401, 403, 404, 409, 429, 500, 503]),
        times=st.integers(1, 3),
        after_effect=st.booleans(),
        method=st.sampled_from([None, "GET", "POST", "DELETE", "PATCH"]),
    )
    def fail(self, kind: str, status: int, times: int, after_effect: bool, method: str | None) -> None:
        # A refused request has no effect.
        done = after_effect and (kind != "status" or status >= 500)
        details: dict[str, Any] = {"status": {"status": status}, "latency": {"seconds": 60}}.get(kind, {})
        self.site.sandbox.faults.add(kind, method=method, times=times, after_effect=done, **details)

    @rule(which=ANY, action=st.sampled_from([actions.retry, actions.hold, actions.cancel]))
    def take_an_action(self, which: int, action: Callable[[OutboxMessage], None]) -> None:
        if message := self.some_message(which):
            try:
                action(message)
            except InvalidTransition:
                steps["actions refused"] += 1

    @rule(which=ANY)
    def release(self, which: int) -> None:
        if (message := self.some_message(which)) and message.state == State.ON_HOLD:
            if message.operation == "actions.create":
                self.released[message.subject] += 1
            actions.release(message)

    @rule(which=ANY)
    def mark_as_delivered(self, which: int) -> None:
        message = self.some_message(which)
        if message and message.operation.endswith(".create") and self.effects_of(message):
            try:
                actions.mark_delivered(message)
            except InvalidTransition:
                steps["actions refused"] += 1

    def effects_of(self, message: OutboxMessage) -> int:
        names = ("key", "external_key", "customer_key")
        key = next(message.payload[name] for name in names if message.payload.get(name))
        return self.site.effects(message.operation).get(key, 0)

    @invariant()
    def nothing_has_two_effects(self) -> None:
        steps["steps"] += 1
        for verb in ("customers.create", "transactions.create", "transactions.delete"):
            assert [key for key, times in self.site.effects(verb).items() if times > 1] == []
        for key, times in self.site.effects("actions.create").items():
            assert times <= 1 + self.released[key]

    @invariant()
    def no_payment_is_counted_twice(self) -> None:
        counts = Counter(each["key"].split("~r")[0] for each in self.site.sandbox.objects("transactions"))
        assert [key for key, times in counts.items() if times > 1] == []

    @invariant()
    def each_sending_message_has_a_lease(self) -> None:
        sending = OutboxMessage.objects.filter(state=State.SENDING)
        assert all(each.lease_token and each.lease_expires_at for each in sending)
        assert max(Counter(each.lane for each in sending).values(), default=1) == 1

    @invariant()
    def a_claimed_message_belongs_to_its_worker_until_its_lease_expires(self) -> None:
        for claimed in self.stalled:
            if self.site.clock.at < claimed.lease_expires_at:
                claimed_row = OutboxMessage.objects.get(pk=claimed.message.pk)
                assert (claimed_row.state, claimed_row.lease_token) == (State.SENDING, claimed.lease_token)

    @invariant()
    def each_sendable_message_is_due_some_time(self) -> None:
        for lane in OutboxLane.objects.filter(due_at=None):
            waiting = OutboxMessage.objects.filter(lane=lane.key, state__in=IN_PROGRESS)
            assert list(waiting) == [], f"{lane} is never due"

    def teardown(self) -> None:
        """When all works again, each message is delivered or has a final state with a reason."""
        if not hasattr(self, "site"):
            return
        sources.customers[Account] = self.source
        self.site.sandbox.faults.clear()
        steps["waiting messages"] += OutboxMessage.objects.filter(state=State.WAITING).count()
        backfill(Account, mode="test", on_page=lambda done: None)
        assert not SourceFailure.objects.exists()
        self.site.push_for(days=3, step=900)
        for claimed in self.stalled:
            self.site.worker.attempts.run(claimed)
        self.nothing_has_two_effects()
        self.no_payment_is_counted_twice()
        for message in OutboxMessage.objects.all():
            self.ends_well(message)

    def ends_well(self, message: OutboxMessage) -> None:
        passing = (State.QUEUED, State.WAITING, *IN_PROGRESS)
        assert message.state not in passing, f"{message} is {message.state} for ever"
        lane = OutboxMessage.objects.filter(lane=message.lane)
        if message.state == State.BLOCKED:
            assert lane.filter(state__in=BLOCKING_STATES).exists()
        if message.state in (State.BLOCKED, *BLOCKING_STATES):
            assert message.reason
        if message.state == State.DELIVERED and message.operation.endswith(".create"):
            assert self.effects_of(message)


@pytest.mark.starts_first
@pytest.mark.django_db
def test_no_history_breaks_a_guarantee(capsys: Any) -> None:
    steps.clear()
    run_state_machine_as_test(
        Outbox,
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=STEPS,
            deadline=None,
            derandomize=not LONG,
            phases=[Phase.generate, Phase.shrink] if LONG else [Phase.generate],
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
    sign_ups, refused, pruned = steps["sign-ups"], steps["actions refused"], steps["messages pruned"]
    waiting, found = steps["waiting messages"], steps["found by a sync"]
    with capsys.disabled():
        print(f"\n{steps['steps']} steps: {sign_ups} sign-ups, {refused} actions refused, {pruned} pruned")
        print(f"{waiting} messages waited for a customer at the end, {found} customers were found by a sync")
