"""The action "Push to PartnerStack", against a sandbox over HTTP."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.contrib.messages import ERROR, INFO, SUCCESS, WARNING
from django.test import Client

from django_partnerstack import track
from django_partnerstack.admin.actions.push import ROWS, summary
from django_partnerstack.models import Customer, OutboxMessage, SourceFailure, State, Transaction
from django_partnerstack.outbox.control.deliver_now import DeliveredNow, deliver_now
from django_partnerstack.outbox.push import worker
from django_partnerstack.sandbox import Sandbox
from tests.shop.models import Account, Payment

from ..conftest import list_url, queue, take

pytestmark = pytest.mark.django_db(transaction=True)

PUSH = "push_to_partnerstack"


@pytest.fixture
def operator(staff: Callable[..., Client], transactional_db: None) -> Client:
    return staff("view_customer", "push_customer", "view_transaction", "push_transaction")


@pytest.fixture
def account() -> Account:
    return Account.objects.create(email="a@example.com", partner_key="gstest")


def mirrored(sandbox: Sandbox) -> Customer:
    """Delivers all messages of the only account. Returns its customer."""
    worker().run()
    return Customer.objects.get()


def states() -> list[str]:
    return list(OutboxMessage.objects.order_by("pk").values_list("state", flat=True))


def test_the_messages_of_a_customer_are_delivered(
    operator: Client, partnerstack: Sandbox, account: Account
) -> None:
    customer = mirrored(partnerstack)
    payment = Payment.objects.create(account=account, total=10)
    assert take(operator, PUSH, customer) == [(SUCCESS, "1 delivered.")]
    assert partnerstack.effects["test", "transactions.create", f"payment-{payment.pk}"] == 1


def test_earlier_messages_of_the_customer_are_delivered_first(
    operator: Client, partnerstack: Sandbox, account: Account
) -> None:
    first = Payment.objects.create(account=account, total=10)
    mirrored(partnerstack)
    second = Payment.objects.create(account=account, total=10)
    track.refund(f"payment-{first.pk}")
    row = Transaction.objects.get(key=f"payment-{first.pk}")
    assert take(operator, PUSH, row) == [(SUCCESS, "2 delivered.")]
    assert partnerstack.effects["test", "transactions.create", f"payment-{second.pk}"] == 1
    assert partnerstack.effects["test", "transactions.delete", f"payment-{first.pk}"] == 1


def test_messages_of_other_customers_stay_queued(
    operator: Client, partnerstack: Sandbox, account: Account
) -> None:
    customer = mirrored(partnerstack)
    Account.objects.create(email="b@example.com", partner_key="gstest")
    assert take(operator, PUSH, customer) == [(INFO, f"Nothing to send for shop-account-{account.pk}.")]
    assert states()[1] in (State.QUEUED, State.SCHEDULED)


def test_a_refusal_is_an_error(operator: Client, partnerstack: Sandbox, account: Account) -> None:
    customer = mirrored(partnerstack)
    partnerstack.faults.add("status", status=400, method="POST")
    Payment.objects.create(account=account, total=10)
    assert take(operator, PUSH, customer) == [(ERROR, "1 failed.")]


def test_the_rest_waits_for_the_worker_while_delivery_is_paused(
    operator: Client, partnerstack: Sandbox, account: Account
) -> None:
    customer = mirrored(partnerstack)
    partnerstack.faults.add("status", status=429, retry_after=60)
    Payment.objects.create(account=account, total=10)
    (level, text), (_, paused) = take(operator, PUSH, customer)
    assert (level, text) == (WARNING, "1 left to the worker.")
    assert paused.startswith("Delivery is paused until ")


@pytest.mark.parametrize(
    ("setting", "value", "text"),
    [
        ("PARTNERSTACK_PUSH_ENABLED", False, "PARTNERSTACK_PUSH_ENABLED is False"),
        ("PARTNERSTACK_SECRET_KEY", "", "PARTNERSTACK_PUBLIC_KEY and PARTNERSTACK_SECRET_KEY are not set"),
    ],
)
def test_one_error_says_why_nothing_can_be_sent(
    operator: Client, partnerstack: Sandbox, settings: Any, setting: str, value: Any, text: str
) -> None:
    row = Customer.objects.create(mode="test", key="cus_1", customer_key="shop-account-1")
    setattr(settings, setting, value)
    [(level, said)] = take(operator, PUSH, row)
    assert level == ERROR
    assert said.startswith(text)


def test_at_most_fifty_rows_are_pushed_at_once(operator: Client, partnerstack: Sandbox) -> None:
    rows = [Customer.objects.create(mode="test", key=str(number)) for number in range(ROWS + 2)]
    texts = [text for _, text in take(operator, PUSH, *rows)]
    assert texts[1] == "2 not tried: at most 50 rows at once."


def test_a_push_ends_at_its_limit_of_messages(partnerstack: Sandbox, account: Account) -> None:
    for _ in range(3):
        Payment.objects.create(account=account, total=10)
    pushed = deliver_now([f"customer:shop-account-{account.pk}"], limit=2, seconds=10)
    assert (pushed.by_state["delivered"], pushed.remaining) == (2, 2)


@pytest.mark.parametrize("model", [Customer, Transaction])
def test_pushing_needs_its_own_permission(
    staff: Callable[..., Client], partnerstack: Sandbox, model: Any
) -> None:
    browser = staff(
        f"view_{model._meta.model_name}", "push_customer" if model is Transaction else "push_transaction"
    )
    row = model.objects.create(mode="test", key="x")
    queue(State.SCHEDULED, lane="customer:")
    assert PUSH not in browser.get(list_url(model)).rendered_content
    take(browser, PUSH, row)
    assert states() == [State.SCHEDULED]


class TestObjectsOfTheHost:
    @pytest.fixture
    def manager(self, transactional_db: None, django_user_model: Any) -> Client:
        user = django_user_model.objects.create_user("manager", is_staff=True)
        names = ("view_account", "view_payment", "push_customer", "push_transaction")
        user.user_permissions.set(Permission.objects.filter(codename__in=names))
        browser = Client()
        browser.force_login(user)
        return browser

    def test_that_were_never_queued_are_queued_and_delivered(
        self, manager: Client, partnerstack: Sandbox
    ) -> None:
        Account.objects.bulk_create([Account(email="a@example.com", partner_key="gstest")])
        account = Account.objects.get()
        Payment.objects.bulk_create([Payment(account=account, total=10)])
        payment = Payment.objects.get()
        assert take(manager, PUSH, payment) == [(SUCCESS, "2 delivered.")]
        assert partnerstack.effects["test", "transactions.create", f"payment-{payment.pk}"] == 1
        assert take(manager, PUSH, account) == [(INFO, "Nothing to send for a@example.com.")]

    def test_without_a_partner_cost_no_request(self, manager: Client, partnerstack: Sandbox) -> None:
        account = Account.objects.create(email="a@example.com")
        for _ in range(2):
            [(level, text)] = take(manager, PUSH, account)
            assert level == WARNING
            assert text == "Not reported, because the customer is organic (no partner): a@example.com."
        assert not partnerstack.effects

    def test_with_the_same_name_are_told_apart(self, manager: Client, partnerstack: Sandbox) -> None:
        account = Account.objects.create(email="a@example.com", partner_key="gstest")
        payments = [Payment.objects.create(account=account, total=49) for _ in range(2)]
        worker().run()
        first, second = (f"49.00 USD (#{each.pk})" for each in reversed(payments))
        assert take(manager, PUSH, *payments) == [(INFO, f"Nothing to send for {first}, {second}.")]

    def test_that_their_source_skips_are_named(
        self, manager: Client, partnerstack: Sandbox, account: Account
    ) -> None:
        payment = Payment.objects.create(account=account, total=10, paid=False)
        assert take(manager, PUSH, payment) == [
            (WARNING, "Not reported, because the source skips them: 10.00 USD.")
        ]

    def test_that_cannot_be_queued_are_named_and_the_rest_is_delivered(
        self, manager: Client, partnerstack: Sandbox, account: Account
    ) -> None:
        bad = Payment(account=account, total=10, currency="XX")
        good = Payment(account=account, total=10)
        Payment.objects.bulk_create([bad, good])
        (level, text), done = take(manager, PUSH, *Payment.objects.all())
        assert level == ERROR
        assert text.startswith("10.00 XX could not be queued: ")
        assert SourceFailure.objects.get().source_pk == str(bad.pk)
        assert done == (SUCCESS, "2 delivered.")

    def test_need_the_permission_to_push(self, manager: Client, django_user_model: Any) -> None:
        account = Account.objects.bulk_create([Account(email="a@example.com", partner_key="gstest")])[0]
        permissions = django_user_model.objects.get().user_permissions
        permissions.remove(*permissions.filter(codename="push_customer"))
        assert PUSH not in manager.get(list_url(Account)).rendered_content
        take(manager, PUSH, Account.objects.get(email=account.email))
        assert states() == []


def test_of_many_rows_the_first_few_are_named() -> None:
    pushed = DeliveredNow(Counter(), remaining=0, idle_lanes=frozenset({"x"}), organic_lanes=frozenset())
    [(_, text)] = summary(pushed, {f"shop-account-{number}": "x" for number in range(5)})
    assert text == "Nothing to send for shop-account-0, shop-account-1, shop-account-2 and 2 more."
