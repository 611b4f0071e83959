"""A person is found by an address, however a text writes it. Nobody else is, whose address contains it."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest
from django.utils import timezone

from django_partnerstack import track
from django_partnerstack.identity.addresses import addresses_in, is_any_in, replaced
from django_partnerstack.models import (
    Attribution,
    Customer,
    Deal,
    Lead,
    OutboxMessage,
    ReconciliationRun,
    ReportedKey,
    SourceFailure,
    State,
    SyncState,
    Transaction,
    WebhookEvent,
)
from tests.outbox.site import message
from tests.shop.models import Account

from .world import EMAIL, NAME, World, dump, leaks

ADA = "ada+news@customers.example"


class TestTexts:
    @pytest.mark.parametrize(
        "text",
        [
            ADA,
            ADA.upper(),
            f"Call {ADA}.",
            f"Ada <{ADA}>, today",
            f"https://shop.example/?email={quote(ADA, safe='')}&x=1",
            f"https://shop.example/?email={quote(ADA, safe='+@')}",
            f"%20{ADA}",
            {"notes": [f"first line\n{ADA}\nlast line"]},
        ],
    )
    def test_an_address_is_found(self, text: Any) -> None:
        assert is_any_in([ADA], text)
        assert not is_any_in([ADA], replaced([ADA], text, "forgotten-1"))
        assert ADA in {each.lower() for each in addresses_in(text)}

    @pytest.mark.parametrize(
        "text", [f"jo{ADA}", f"jo.{ADA}", f"{ADA}.au", "", {"notes": f"jo{ADA}"}, "news@customers.example"]
    )
    def test_a_part_of_a_longer_address_is_not(self, text: Any) -> None:
        assert not is_any_in([ADA], text)
        assert replaced([ADA], text, "forgotten-1") == text
        assert ADA not in addresses_in(text)

    def test_letters_that_are_not_ascii_have_two_cases_too(self) -> None:
        assert is_any_in(["éva@customers.example"], {"email": "Éva@customers.example"})


def customer(world: World, email: str = EMAIL) -> Account:
    account = Account.objects.create(email=email, name=NAME, partner_key="gstest")
    world.settle()
    return account


def earlier() -> int:
    """By the clock of this machine, which is behind that of the world."""
    return int(timezone.now().timestamp() * 1000) - 1000


def mirror(model: Any, key: str, **raw: Any) -> None:
    model.objects.create(mode="test", key=key, raw={"key": key, **raw}, synced_at=timezone.now())


def test_whoever_has_a_longer_address_keeps_its_data(world: World) -> None:
    account, other = customer(world), f"jo{EMAIL}"
    mirror(Deal, "deal_1", contact_email=other)
    mirror(Lead, "lead_1", email=f"{EMAIL}.au")
    now = timezone.now()
    times = dict.fromkeys(("window", "first_received_at", "last_received_at"), now)
    body = {"email": other}
    WebhookEvent.objects.create(mode="test", kind="lead", key="lead_2", body=body, digest="1", **times)
    ReconciliationRun.objects.create(mode="test", started_at=now, finished_at=now, result={"of": other})
    SourceFailure.objects.create(
        mode="test",
        source="shop.account",
        table="shop_account",
        source_pk="77",
        operation="customers.save",
        error=f"{other} has no name.",
        first_failed_at=now,
        last_failed_at=now,
    )
    tables = ("deal", "lead", "webhookevent", "reconciliationrun", "sourcefailure")
    before = {name: dump()[f"partnerstack_{name}"] for name in tables}
    track.forget(account)
    assert {name: dump()[f"partnerstack_{name}"] for name in tables} == before


def test_an_address_within_a_text_does_not_come_back(world: World) -> None:
    account = customer(world)
    about = {"partner_key": "gstest", "created_at": earlier()}
    world.sandbox.create("deals", account_name="Canary", lost_reason=f"Call {EMAIL} later.", **about)
    world.sandbox.create("leads", external_key=f"Ada <{EMAIL.upper()}>", **about)
    world.deliver_webhooks()
    world.sync()
    assert {"partnerstack_deal", "partnerstack_lead"} <= set(leaks(dump(), EMAIL))
    track.forget(account)
    world.sync()
    world.replay_webhooks()
    assert leaks(dump(), EMAIL) == {}


def test_an_encoded_address_is_erased(world: World) -> None:
    account, other = customer(world, "canary+ada@customers.example"), customer(world, "bob@customers.example")
    encoded = quote(account.email, safe="")
    world.sandbox.create(
        "deals", lost_reason=f"?e={encoded}", account_name="x", partner_key="gstest", created_at=earlier()
    )
    world.sync()
    SyncState.objects.update(error=f"GET /customers/{encoded} failed.")
    track.forget(account)
    world.sync()
    assert leaks(dump(), account.email, encoded) == {}
    assert track.customer_key(other) in dump()["partnerstack_customer"]


def test_a_message_about_another_customer_does_not_name_the_person(world: World) -> None:
    account, other = customer(world), customer(world, "bob@customers.example")
    theirs = OutboxMessage.objects.filter(subject=track.customer_key(other))
    theirs.update(state=State.FAILED, reason=f"409 {EMAIL} has this key.")
    Attribution.objects.create(
        mode="test",
        customer_key=track.customer_key(other),
        method="link",
        partner_key="gstest",
        landing_path=f"/invited-by/{EMAIL}",
        bound_at=timezone.now(),
    )
    key = track.forget(account).customer_key
    assert theirs.get().reason == f"409 {key} has this key."
    assert Attribution.objects.get().landing_path == f"/invited-by/{key}"
    assert leaks(dump(), EMAIL) == {}


@pytest.mark.parametrize("kept", [Transaction, None])
def test_rewards_are_erased_although_the_customer_is_not_mirrored(
    world: World, account: Account, kept: Any
) -> None:
    for model in {Customer, Transaction} - {kept}:
        model.objects.all().delete()
    assert leaks(dump())["partnerstack_reward"]
    track.forget(account)
    assert leaks(dump()) == {}
    world.sync()
    assert leaks(dump()) == {}


def test_the_key_of_an_event_with_an_address_is_erased(world: World) -> None:
    account = customer(world)
    track.event(account, "qualified_demo", key=f"demo-{EMAIL}")
    world.settle()
    track.forget(account)
    assert leaks(dump(), EMAIL) == {}
    assert message("actions.create").state == State.DELIVERED
    assert not ReportedKey.objects.filter(dedupe_key__startswith="actions.").exists()


class TestKeys:
    """PARTNERSTACK_CUSTOMER_KEY returns e-mail addresses."""

    @pytest.fixture(autouse=True)
    def keys(self, settings: Any) -> None:
        settings.PARTNERSTACK_CUSTOMER_KEY = "tests.privacy.test_forget.address_of"

    def test_a_refund_that_another_transaction_had_queued_is_sent_without_it(
        self, world: World, account: Account
    ) -> None:
        """It began before the customer was forgotten, and committed afterwards."""
        track.forget(account)
        world.settle()
        payment = (
            OutboxMessage.objects.filter(operation="transactions.create", subject="noted-1").values().get()
        )
        OutboxMessage.objects.create(
            **{
                **payment,
                "id": None,
                "operation": "transactions.delete",
                "payload": {"key": "noted-1"},
                "state": State.QUEUED,
                "forgotten": False,
                "lane": f"customer:{EMAIL}",
                "dedupe_key": None,
            }
        )
        world.settle()
        assert message("transactions.delete").state == State.DELIVERED
        assert leaks(dump()) == {}

    def test_without_partnerstacks_own_key_the_operator_reads_how_to_get_it(self, world: World) -> None:
        account = customer(world)
        Customer.objects.all().delete()
        erasure = track.forget(account)
        assert (erasure.told.has, erasure.told.nameless, erasure.told.queued) == (True, True, ())
        world.sync()
        assert track.forget(account).told.queued == ("customers.anonymise", "customers.archive")
        world.settle()
        [found] = world.sandbox.objects("customers", include_archived=True)
        assert (found["customer_key"], found["archived"]) == (erasure.customer_key, True)
        assert leaks(dump()) == {}
