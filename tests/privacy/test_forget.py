"""What forgetting a customer does, in which order, and what it leaves alone."""

from __future__ import annotations

import hashlib
import json
import re
from contextlib import suppress
from typing import Any

import pytest
from django.db import transaction
from django.test import override_settings

from django_partnerstack import privacy, sources, track
from django_partnerstack.models import (
    Attempt,
    Attribution,
    Customer,
    CustomerIdentity,
    ForgottenCustomer,
    OutboxMessage,
    ReportedKey,
    State,
    Tombstone,
    Transaction,
)
from django_partnerstack.outbox.control import actions
from django_partnerstack.outbox.queue.claim import claim
from django_partnerstack.privacy.places import all_places as places
from django_partnerstack.privacy.places.place import Place
from tests.outbox.site import message, messages
from tests.shop.models import Account, Payment

from .world import EMAIL, NAME, NOTE, OWN_TABLES, World, dump, leaks

TOLD = ["customers.anonymise", "customers.archive"]


def customer_at_partnerstack(world: World) -> dict[str, Any]:
    [found] = [
        each
        for each in world.sandbox.objects("customers", include_archived=True)
        if str(each["customer_key"]).startswith(("shop-account-", "forgotten-"))
    ]
    return found


def simple(world: World, **fields: Any) -> Account:
    """A customer that PartnerStack has."""
    account = Account.objects.create(email=EMAIL, name=NAME, partner_key="gstest", **fields)
    world.settle()
    return account


def writes(world: World) -> list[str]:
    return [each for each in world.sent if not each.startswith("GET")]


def settled() -> dict[str, str]:
    """All tables, except for what changes with each request."""
    return dump(without=[*OWN_TABLES, "partnerstack_throttlestate"])


class TestPartnerStack:
    def test_the_customer_is_anonymised_and_then_archived(self, world: World, account: Account) -> None:
        before = len(world.sent)
        assert track.forget(account).told.queued == (*TOLD,)
        world.settle()
        path = f"/customers/shop-account-{account.pk}"
        assert [each for each in world.sent[before:] if not each.startswith("GET")] == [
            f"PATCH {path}",
            f"DELETE {path}",
        ]
        found = customer_at_partnerstack(world)
        assert (found["name"], found["archived"]) == ("Forgotten customer", True)
        assert re.fullmatch(r"forgotten-[0-9a-f]{16}@none\.invalid", found["email"])
        assert [each.state for each in messages(forgotten=True) if each.operation in TOLD] == [
            "delivered"
        ] * 2

    def test_the_archiving_counts_once_a_look_up_confirms_it(self, world: World, account: Account) -> None:
        track.forget(account)
        world.push()
        assert message("customers.archive").state == State.UNCONFIRMED
        world.settle()
        assert message("customers.archive").state == State.DELIVERED
        assert world.effects("customers.delete") == {f"shop-account-{account.pk}": 1}

    @pytest.mark.parametrize("readable", [True, False])
    @pytest.mark.parametrize("flag", [True, False])
    def test_it_is_confirmed_however_partnerstack_shows_it(
        self, world: World, account: Account, readable: bool, flag: bool
    ) -> None:
        world.sandbox.behaviour.change(archived_readable=readable, archived_flag=flag)
        track.forget(account)
        world.settle()
        assert message("customers.archive").state == State.DELIVERED

    @pytest.mark.parametrize("kind", ["lost", "reset", "empty"])
    @pytest.mark.parametrize("method", ["PATCH", "DELETE"])
    def test_a_lost_answer_is_settled(self, world: World, account: Account, method: str, kind: str) -> None:
        track.forget(account)
        world.fail(kind, method=method)
        world.settle()
        assert [message(name).state for name in TOLD] == ["delivered", "delivered"]
        assert customer_at_partnerstack(world)["archived"]

    def test_what_the_partner_earned_is_reported_first(self, world: World) -> None:
        account = simple(world)
        before = len(writes(world))
        Payment.objects.create(account=account, total="49.00")
        track.event(account, "qualified_demo", key="demo-1")
        told = track.forget(account).told
        assert (told.first, told.cancelled) == (2, 0)
        world.settle()
        path = f"/customers/shop-account-{account.pk}"
        assert writes(world)[before:] == [
            "POST /transactions",
            "POST /actions",
            f"PATCH {path}",
            f"DELETE {path}",
        ]
        assert leaks(dump()) == {}

    def test_a_payment_that_must_be_retried_goes_first_too(self, world: World) -> None:
        account = simple(world)
        Payment.objects.create(account=account, total="49.00")
        world.fail("status", status=503, times=2)
        world.push()
        assert track.forget(account).told.first == 1
        world.settle()
        assert message("transactions.create").state == "delivered"
        assert customer_at_partnerstack(world)["archived"]

    def test_changed_data_are_not_sent_any_more(self, world: World) -> None:
        account = simple(world)
        account.name = "Canary King"
        account.save()
        assert track.forget(account).told.cancelled == 1
        world.settle()
        assert customer_at_partnerstack(world)["name"] == "Forgotten customer"
        assert [each.state for each in messages("customers.update")] == ["cancelled"]

    def test_a_customer_that_partnerstack_never_had_costs_no_request(self, world: World) -> None:
        account = Account.objects.create(email=EMAIL, name=NAME, partner_key="gstest")
        Payment.objects.create(account=account, total="49.00")
        told = track.forget(account).told
        assert (told.has, told.queued, told.first, told.cancelled) == (False, (), 0, 2)
        world.settle()
        assert world.sent == []
        assert leaks(dump()) == {}

    def test_an_organic_customer_costs_no_request(self, world: World) -> None:
        account = Account.objects.create(email=EMAIL, name=NAME)
        Payment.objects.create(account=account, total="49.00")
        world.settle()
        assert track.forget(account).told.queued == ()
        world.settle()
        assert world.sent == []
        assert leaks(dump()) == {}

    def test_an_object_that_was_never_reported_is_forgotten_too(self, world: World) -> None:
        [account] = Account.objects.bulk_create([Account(email=EMAIL, name=NAME, partner_key="gstest")])
        track.forget(account)
        account.save()
        world.settle()
        assert world.sent == []
        assert leaks(dump()) == {}

    def test_custom_fields_and_the_key_of_the_payment_provider_are_cleared(
        self, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        data = sources.CustomerData(
            email=EMAIL,
            name=NAME,
            partner_key="gstest",
            provider_key="cus_canary",
            meta={"plan": "canary-gold"},
        )
        monkeypatch.setitem(sources.customers, Account, lambda account: data)
        world.sandbox.behaviour.change(custom_fields=("plan",))
        account = simple(world)
        assert track.forget(account).told.queued == (TOLD[0], "customers.clear_fields", TOLD[1])
        world.settle()
        assert leaks({"customer": json.dumps(customer_at_partnerstack(world))}) == {}
        assert leaks(dump()) == {}

    def test_a_refused_anonymisation_keeps_the_customer_from_being_archived(
        self, world: World, account: Account
    ) -> None:
        """An archived customer can perhaps not be anonymised any more."""
        world.sandbox.faults.add("status", status=400, method="PATCH", path="/api/v2", times=1)
        track.forget(account)
        world.settle()
        assert [message(name).state for name in TOLD] == ["dead", "blocked"]
        actions.retry(message("customers.anonymise"))
        world.settle()
        assert [message(name).state for name in TOLD] == ["delivered", "delivered"]

    @pytest.mark.parametrize("privacy", ["hashed", "none"])
    def test_it_is_anonymised_whatever_may_be_sent_today(
        self, world: World, account: Account, privacy: str
    ) -> None:
        with override_settings(PARTNERSTACK_PRIVACY=privacy):
            track.forget(account)
            world.settle()
        assert customer_at_partnerstack(world)["name"] == "Forgotten customer"

    def test_somebody_else_under_the_key_is_not_touched(self, world: World) -> None:
        account = Account(pk=4711, email=EMAIL, name=NAME, partner_key="gstest")
        other = world.sandbox.create(
            "customers", customer_key="shop-account-4711", email="bob@customers.example", partner_key="gstest"
        )
        world.sync()
        account.save()
        world.settle()
        erasure = track.forget(account)
        assert (erasure.conflict, erasure.told.queued) == (True, ())
        world.settle()
        assert customer_at_partnerstack(world)["email"] == other["email"]
        assert Customer.objects.get(customer_key="shop-account-4711").email == "bob@customers.example"
        assert leaks(dump()) == {}


class TestInFlight:
    """A worker has a message of the customer in its hands."""

    def test_an_answer_that_arrives_later_is_stored_without_the_person(self, world: World) -> None:
        account = simple(world)
        Payment.objects.create(account=account, total="49.00")
        [claimed] = claim(world.worker.throttle, world.worker.delivered, 1, lease=world.worker.lease).claimed
        track.forget(account)
        assert world.worker.attempts.run(claimed) == "delivered"
        assert [each.answer for each in Attempt.objects.filter(message=claimed.message)] == [""]
        assert Transaction.objects.get().raw["customer"].keys() == {"key", "external_key"}
        assert leaks(dump()) == {}
        world.settle()
        assert customer_at_partnerstack(world)["archived"]

    def test_changed_data_on_their_way_are_overwritten_by_the_anonymisation(self, world: World) -> None:
        account = simple(world)
        account.name = "Canary King"
        account.save()
        [claimed] = claim(world.worker.throttle, world.worker.delivered, 1, lease=world.worker.lease).claimed
        track.forget(account)
        assert world.push() == {}, "PartnerStack may get the earlier data last"
        assert world.worker.attempts.run(claimed) == "lost"
        assert leaks(dump()) == {}
        world.clock.at = claimed.lease_expires_at
        world.settle()
        assert customer_at_partnerstack(world)["name"] == "Forgotten customer"

    @pytest.mark.parametrize("arrives", [True, False])
    def test_a_creation_in_doubt_ends_without_the_person(self, world: World, arrives: bool) -> None:
        account = Account.objects.create(email=EMAIL, name=NAME, partner_key="gstest")
        Payment.objects.create(account=account, total="49.00")
        world.fail("lost" if arrives else "latency", **({} if arrives else {"seconds": 100}))
        world.push()
        assert message("customers.create").state == State.UNCONFIRMED
        told = track.forget(account).told
        assert (told.queued, told.cancelled) == ((*TOLD,), 2)
        world.settle()
        assert [message(name).state for name in TOLD] == ["delivered", "delivered"]
        assert leaks(dump()) == {}
        shown = json.dumps(world.sandbox.objects("customers", include_archived=True))
        assert EMAIL not in shown


class TestRepeated:
    def test_twice_is_harmless(self, world: World, account: Account) -> None:
        assert track.forget(account).erased
        world.settle()
        before, sent = settled(), len(writes(world))
        again = track.forget(account)
        world.settle()
        assert (again.erased, again.told.queued, again.told.cancelled) == ({}, (), 0)
        assert settled() == before
        assert len(writes(world)) == sent

    def test_an_interrupted_run_goes_on_when_it_is_called_again(
        self, world: World, account: Account, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """As after a kill: what was committed stays, and nothing else."""
        key, rows_before_kill = track.customer_key(account), 0
        while not ForgottenCustomer.objects.filter(mode="test").exclude(finished_at=None).exists():
            left = rows_before_kill

            def dying(place: Place) -> Place:
                def change(row: Any, person: Any) -> Any:
                    nonlocal left
                    if not left:
                        raise KeyboardInterrupt
                    left -= 1
                    return place.change(row, person)

                return Place(place.rows, change)

            with monkeypatch.context() as patched, suppress(KeyboardInterrupt):
                patched.setattr(places, "PLACES", tuple(map(dying, places.PLACES)))
                privacy.forget(key)
            rows_before_kill += 1
        assert rows_before_kill > 10
        assert leaks(dump()) == {}

    def test_a_dry_run_counts_the_same_and_changes_nothing(self, world: World, account: Account) -> None:
        before, sent = dump(), len(world.sent)
        planned = track.forget(account, dry_run=True)
        assert planned.dry_run
        assert dump() == before
        done = track.forget(account)
        assert (done.erased, done.told) == (planned.erased, planned.told)
        assert done.erased["outbox messages"] == 4
        assert len(world.sent) == sent

    def test_a_rolled_back_transaction_forgets_nobody(self, world: World, account: Account) -> None:
        before = dump()
        with transaction.atomic():
            track.forget(account)
            transaction.set_rollback(True)
        assert dump() == before

    def test_others_keep_their_data(self, world: World, account: Account) -> None:
        other = Account.objects.create(email="bob@customers.example", name="Bob", partner_key="gstest")
        track.purchase(other, amount=100, currency="USD", key="bobs-1", metadata={"note": "for Bob"})
        world.settle()
        world.sync()
        before = {
            table: [row for row in text.splitlines() if "bob" in row.lower()]
            for table, text in dump().items()
        }
        assert before["partnerstack_customer"]
        track.forget(account)
        after = dump()
        for table, rows in before.items():
            assert set(rows) <= set(after[table].splitlines()), table


class TestWhatStays:
    def test_the_books_stay(self, world: World, account: Account) -> None:
        key = track.customer_key(account)
        track.forget(account)
        amounts = set(Transaction.objects.filter(customer_external_key=key).values_list("amount", flat=True))
        assert amounts == {4900, 1900}
        assert message("transactions.create", subject="noted-1").payload == {
            "key": "noted-1",
            "customer_external_key": key,
            "amount": 1900,
            "currency": "USD",
        }
        assert ReportedKey.objects.get(dedupe_key="transactions.create:noted-1").amount == 1900
        assert Attribution.objects.get(customer_key=key).partner_key == "gstest"

    def test_the_texts_of_payments_can_be_kept(self, world: World, account: Account) -> None:
        track.forget(account, keep_payments=True)
        world.sync()
        assert message("transactions.create", subject="noted-1").payload["metadata"] == {"note": NOTE}
        assert Transaction.objects.get(key="noted-1").raw["metadata"] == {"note": NOTE}
        assert leaks(dump(), EMAIL, NAME) == {}
        track.forget(account)
        world.sync()
        assert leaks(dump()) == {}

    @pytest.mark.parametrize("amount", [None, 900])
    def test_a_payment_can_still_be_refunded(
        self, world: World, account: Account, amount: int | None
    ) -> None:
        track.forget(account)
        track.refund("noted-1", amount=amount)
        world.settle()
        assert world.effects("transactions.delete") == {"noted-1": 1}
        assert leaks(dump()) == {}

    def test_a_saved_object_leaves_a_note(self, world: World, account: Account) -> None:
        track.forget(account)
        account.name = "Canary King"
        account.save()
        payment = Payment.objects.create(account=account, total="5.00")
        notes = messages(state=State.SKIPPED)
        assert [(each.source, each.source_pk, each.reason) for each in notes] == [
            ("shop.account", str(account.pk), "The customer was forgotten."),
            ("shop.payment", str(payment.pk), "The customer was forgotten."),
        ]
        report = track.purchase(account, amount=1, currency="USD", key="late-1", metadata={"note": NOTE})
        assert (report.queued, report.skipped) == (False, "The customer was forgotten.")
        assert leaks(dump()) == {}

    def test_the_error_of_its_source_is_not_kept(
        self, world: World, account: Account, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fail(account: Account) -> None:
            raise ValueError(f"{account.email} has no name.")

        track.forget(account)
        monkeypatch.setitem(sources.customers, Account, fail)
        account.save()
        assert world.backfill()["shop.Account"].failed == 1
        assert leaks(dump()) == {}

    def test_a_new_sign_up_with_the_same_address_is_a_new_customer(
        self, world: World, account: Account
    ) -> None:
        track.forget(account)
        world.settle()
        again = Account.objects.create(email=EMAIL, name=NAME, partner_key="gstest")
        world.settle()
        world.deliver_webhooks()
        world.sync()
        found = Customer.objects.get(customer_key=track.customer_key(again))
        assert (found.email, found.name) == (EMAIL, NAME)
        assert message("customers.create", subject=found.customer_key).state == "delivered"

    def test_what_another_transaction_had_queued_is_not_sent(self, world: World) -> None:
        """It began before the customer was forgotten, and committed afterwards."""
        account = simple(world)
        key = track.customer_key(account)
        track.forget(account)
        world.settle()
        late = OutboxMessage.objects.filter(operation="customers.create").values().get()
        content = {"customer_key": key, "email": EMAIL, "name": NAME}
        OutboxMessage.objects.create(
            **{
                **late,
                "id": None,
                "operation": "customers.save",
                "payload": content,
                "state": State.QUEUED,
                "forgotten": False,
                "lane": f"customer:{key}",
            }
        )
        sent = len(world.sent)
        world.settle()
        assert len(world.sent) == sent
        assert leaks(dump()) == {}


class TestKeys:
    """PARTNERSTACK_CUSTOMER_KEY returns e-mail addresses."""

    @pytest.fixture(autouse=True)
    def keys(self, settings: Any) -> None:
        settings.PARTNERSTACK_CUSTOMER_KEY = "tests.privacy.test_forget.address_of"

    def test_a_key_with_an_address_is_replaced_everywhere(self, world: World, account: Account) -> None:
        Payment.objects.create(account=account, total="7.00")
        erasure = track.forget(account)
        assert erasure.customer_key.startswith("forgotten-")
        assert leaks(dump()) == {}
        world.settle()
        assert leaks(dump()) == {}
        found = customer_at_partnerstack(world)
        assert (found["customer_key"], found["archived"]) == (erasure.customer_key, True)
        assert leaks({"customer": json.dumps(found)}) == {}

    def test_nothing_brings_it_back(self, world: World, account: Account) -> None:
        track.forget(account)
        for _ in range(2):
            world.deliver_webhooks()
            world.replay_webhooks()
            world.sync()
            account.save()
            Payment.objects.create(account=account, total="5.00")
            assert world.backfill()["shop.Account"].forgotten == 1
            assert leaks(dump()) == {}
            world.settle()
        assert leaks(dump()) == {}

    def test_twice_is_harmless(self, world: World, account: Account) -> None:
        key = track.forget(account).customer_key
        world.settle()
        before = settled()
        assert track.forget(key).told.queued == ()
        assert track.forget(account).customer_key == key
        world.settle()
        assert settled() == before


def address_of(account: Account) -> str:
    return account.email


class TestTombstones:
    def test_they_do_not_depend_on_the_secret_key(self, world: World, account: Account) -> None:
        track.forget(account)
        with override_settings(SECRET_KEY="another"):
            world.sync()
            account.save()
        assert leaks(dump()) == {}

    def test_they_say_nothing_without_the_salt(self, world: World, account: Account) -> None:
        track.forget(account)
        digests = set(Tombstone.objects.values_list("digest", flat=True))
        guesses = (EMAIL, f"email\0{EMAIL}", track.customer_key(account))
        assert not digests & {hashlib.sha256(guess.encode()).hexdigest() for guess in guesses}

    def test_the_key_is_still_known(self, world: World, account: Account) -> None:
        track.forget(account)
        row = CustomerIdentity.objects.get(key=track.customer_key(account))
        assert (row.forgotten_at is not None, row.last_reported) == (True, "")

    def test_the_other_mode_is_erased_too(self, world: World, account: Account) -> None:
        key = track.customer_key(account)
        Customer.objects.create(mode="production", key="cus_live", customer_key=key, email=EMAIL, raw={})
        track.forget(account)
        assert leaks(dump()) == {}
        assert ForgottenCustomer.objects.count() == 2
