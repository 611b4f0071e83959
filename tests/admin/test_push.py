"""The action "Push to PartnerStack", against a sandbox behind a socket."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.contrib.messages import ERROR, INFO, SUCCESS, WARNING
from django.db import transaction
from django.test import Client
from django.urls import resolve

from django_partnerstack.admin.push import ROWS, told
from django_partnerstack.models import Customer, OutboxMessage, State, Transaction
from django_partnerstack.outbox.control.deliver_now import DeliveredNow, deliver_now
from django_partnerstack.outbox.delivery.loop import site_delivery
from django_partnerstack.sandbox import Sandbox
from tests.shop.models import Account, Payment

from .conftest import list_url, page_url, queue, take

pytestmark = pytest.mark.django_db(transaction=True)

PUSH = "push_to_partnerstack"


@pytest.fixture
def clerk(staff: Callable[..., Client], transactional_db: None) -> Client:
    """Somebody who may see and push customers and transactions."""
    return staff("view_customer", "push_customer", "view_transaction", "push_transaction")


@pytest.fixture
def account() -> Account:
    return Account.objects.create(email="a@example.com", partner_key="gstest")


def mirrored(sandbox: Sandbox) -> Customer:
    """The customer of an account whose messages were delivered so far."""
    site_delivery().run()
    return Customer.objects.get()


def states() -> list[str]:
    return list(OutboxMessage.objects.order_by("pk").values_list("state", flat=True))


def test_what_waits_for_a_customer_is_delivered(
    clerk: Client, partnerstack: Sandbox, account: Account
) -> None:
    customer = mirrored(partnerstack)
    payment = Payment.objects.create(account=account, total=10)
    assert take(clerk, PUSH, customer) == [(SUCCESS, "1 delivered.")]
    assert partnerstack.effects["test", "transactions.create", f"payment-{payment.pk}"] == 1


def test_what_waits_before_a_transaction_goes_first(
    clerk: Client, partnerstack: Sandbox, account: Account
) -> None:
    mirrored(partnerstack)
    first, second = (Payment.objects.create(account=account, total=10) for _ in range(2))
    row = Transaction.objects.create(
        mode="test", key=f"payment-{second.pk}", customer_external_key=f"account-{account.pk}"
    )
    OutboxMessage.objects.filter(subject=row.key).update(dedupe_key=None)
    assert take(clerk, PUSH, row) == [(SUCCESS, "2 delivered.")]
    assert partnerstack.effects["test", "transactions.create", f"payment-{first.pk}"] == 1


def test_other_customers_wait_on(clerk: Client, partnerstack: Sandbox, account: Account) -> None:
    customer = mirrored(partnerstack)
    Account.objects.create(email="b@example.com", partner_key="gstest")
    assert take(clerk, PUSH, customer) == [(INFO, f"Nothing was waiting for account-{account.pk}.")]
    assert states()[1] in (State.QUEUED, State.SCHEDULED)


def test_a_refusal_is_an_error(clerk: Client, partnerstack: Sandbox, account: Account) -> None:
    customer = mirrored(partnerstack)
    partnerstack.faults.add("status", status=400, method="POST")
    Payment.objects.create(account=account, total=10)
    assert take(clerk, PUSH, customer) == [(ERROR, "1 failed.")]


def test_what_is_not_delivered_is_left_to_the_worker(
    clerk: Client, partnerstack: Sandbox, account: Account
) -> None:
    customer = mirrored(partnerstack)
    partnerstack.faults.add("status", status=429, retry_after=60)
    Payment.objects.create(account=account, total=10)
    (level, text), (_, closed) = take(clerk, PUSH, customer)
    assert (level, text) == (WARNING, "1 left to the worker.")
    assert closed.startswith("Delivery is paused until ")


@pytest.mark.parametrize(
    ("setting", "value", "text"),
    [
        ("PARTNERSTACK_PUSH_ENABLED", False, "PARTNERSTACK_PUSH_ENABLED is False"),
        ("PARTNERSTACK_SECRET_KEY", "", "PARTNERSTACK_PUBLIC_KEY and PARTNERSTACK_SECRET_KEY are not set"),
    ],
)
def test_why_nothing_can_be_sent_is_told_once(
    clerk: Client, partnerstack: Sandbox, settings: Any, setting: str, value: Any, text: str
) -> None:
    row = Customer.objects.create(mode="test", customer_key="account-1")
    setattr(settings, setting, value)
    [(level, said)] = take(clerk, PUSH, row)
    assert level == ERROR
    assert said.startswith(text)


def test_rows_of_the_other_mode_are_left_alone(clerk: Client, partnerstack: Sandbox) -> None:
    row = Customer.objects.create(mode="production", customer_key="account-1")
    [(level, text)] = take(clerk, PUSH, row, query="?mode=all")
    assert (level, text) == (WARNING, "1 not tried: the site runs in test mode, and they are of another.")


def test_only_so_many_rows_are_pushed_at_once(clerk: Client, partnerstack: Sandbox) -> None:
    rows = [Customer.objects.create(mode="test", customer_key=str(number)) for number in range(ROWS + 2)]
    texts = [text for _, text in take(clerk, PUSH, *rows)]
    assert texts[1] == "2 not tried: at most 50 rows at once."


def test_a_push_ends_at_its_bound_of_messages(partnerstack: Sandbox, account: Account) -> None:
    for _ in range(3):
        Payment.objects.create(account=account, total=10)
    pushed = deliver_now([f"customer:account-{account.pk}"], limit=2, seconds=10)
    assert (pushed.by_state["delivered"], pushed.remaining) == (2, 2)


@pytest.mark.parametrize("model", [Customer, Transaction])
def test_to_see_is_not_to_push(staff: Callable[..., Client], partnerstack: Sandbox, model: Any) -> None:
    browser = staff(
        f"view_{model._meta.model_name}", "push_customer" if model is Transaction else "push_transaction"
    )
    row = model.objects.create(mode="test", key="x")
    queue(State.SCHEDULED, lane="customer:")
    assert PUSH not in browser.get(list_url(model)).rendered_content
    take(browser, PUSH, row)
    assert states() == [State.SCHEDULED]


@pytest.mark.parametrize("model", [Customer, Transaction, Account, Payment])
def test_no_request_is_made_inside_a_transaction(model: Any) -> None:
    view = resolve(list_url(model)).func
    assert view._non_atomic_requests == transaction.non_atomic_requests(lambda: None)._non_atomic_requests


class TestMessagesOnAPage:
    def test_of_a_customer_are_those_of_its_lane(self, browser: Client) -> None:
        message, other = queue(), queue(lane="customer:other")
        html = browser.get(
            page_url(Customer.objects.create(mode="test", customer_key="account-1"))
        ).rendered_content
        assert page_url(message) in html
        assert page_url(other) not in html

    @pytest.mark.parametrize("key", ["payment-1", "payment-1-r2"])
    def test_of_a_transaction_are_those_of_the_payment(self, browser: Client, key: str) -> None:
        message = queue(operation="transactions.create", subject="payment-1")
        foreign = queue(operation="customers.update", subject="payment-1")
        html = browser.get(page_url(Transaction.objects.create(mode="test", key=key))).rendered_content
        assert page_url(message) in html
        assert page_url(foreign) not in html

    def test_need_permission_to_see_messages(self, clerk: Client) -> None:
        message = queue()
        row = Customer.objects.create(mode="test", customer_key="account-1")
        assert page_url(message) not in clerk.get(page_url(row)).rendered_content


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
        assert take(manager, PUSH, account) == [(INFO, "Nothing was waiting for a@example.com.")]

    def test_without_a_partner_cost_no_request(self, manager: Client, partnerstack: Sandbox) -> None:
        account = Account.objects.create(email="a@example.com")
        assert take(manager, PUSH, account) == [(SUCCESS, "1 organic.")]
        assert not partnerstack.effects

    def test_that_their_source_does_not_report_are_told(
        self, manager: Client, partnerstack: Sandbox, account: Account
    ) -> None:
        payment = Payment.objects.create(account=account, total=10, paid=False)
        assert take(manager, PUSH, payment) == [(WARNING, "Not reported, as their source says: 10.00 USD.")]

    def test_that_cannot_be_queued_are_told_and_the_rest_goes_on(
        self, manager: Client, partnerstack: Sandbox, account: Account
    ) -> None:
        bad = Payment(account=account, total=10, currency="XX")
        good = Payment(account=account, total=10)
        Payment.objects.bulk_create([bad, good])
        (level, text), done = take(manager, PUSH, *Payment.objects.all())
        assert level == ERROR
        assert text.startswith("10.00 XX could not be queued: ")
        assert done == (SUCCESS, "2 delivered.")

    def test_need_the_permission_to_push(self, manager: Client, django_user_model: Any) -> None:
        account = Account.objects.bulk_create([Account(email="a@example.com", partner_key="gstest")])[0]
        permissions = django_user_model.objects.get().user_permissions
        permissions.remove(*permissions.filter(codename="push_customer"))
        assert PUSH not in manager.get(list_url(Account)).rendered_content
        take(manager, PUSH, Account.objects.get(email=account.email))
        assert states() == []


def test_of_many_rows_the_first_few_are_named() -> None:
    pushed = DeliveredNow(by_state={}, remaining=0, idle_lanes=frozenset({"x"}))  # type: ignore[arg-type]
    [(_, text)] = told(pushed, {f"account-{number}": "x" for number in range(5)}, over=0)
    assert text == "Nothing was waiting for account-0, account-1, account-2 and 2 more."
