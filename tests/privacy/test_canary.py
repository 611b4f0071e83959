"""After a customer was forgotten, nothing shows its data, whatever brings them back."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest
from django.contrib.auth.models import User
from django.test import Client as Browser

from django_partnerstack import track
from tests.canary import Output
from tests.shop.models import Account, Payment

from .world import EMAIL, NAME, NOTE, World, at_partnerstack, dump, leaks

#: What PartnerStack has about the customer itself. Its metadata, deals and leads stay there.
OF_CUSTOMER = ("customers", "rewards", "actions")


@pytest.fixture
def log() -> Iterator[Output]:
    output, root = Output(), logging.getLogger()
    handler, level = output.listen(), root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield output
    root.removeHandler(handler)
    root.setLevel(level)


def pages() -> dict[str, str]:
    browser = Browser()
    browser.force_login(User.objects.get(username="boss"))
    output = Output()
    output.pages(browser)
    return output.texts


def test_the_data_are_everywhere_before(world: World, account: Account) -> None:
    """Otherwise the tests below would prove nothing."""
    texts = dump()
    places = {
        "partnerstack_" + name
        for name in (
            *("customer", "transaction", "deal", "lead", "outboxmessage", "attempt", "attribution"),
            *("webhookevent", "sourcefailure", "syncstate"),
        )
    } | {"django_admin_log"}
    assert places <= set(leaks(texts))
    assert {"customers", "transactions", "rewards"} <= set(leaks(at_partnerstack(world), EMAIL, NAME, NOTE))


def test_nothing_shows_them_afterwards(world: World, account: Account, log: Output) -> None:
    track.forget(account)
    assert leaks(dump()) == {}
    world.settle()
    assert leaks(dump()) == {}
    assert leaks({"log": log.log.getvalue()}) == {}
    assert leaks(pages()) == {}
    assert leaks(at_partnerstack(world, *OF_CUSTOMER)) == {}


def test_nothing_brings_them_back(world: World, account: Account, log: Output) -> None:
    """Neither before PartnerStack was told, when it still shows them, nor later."""
    track.forget(account)
    for _ in range(2):
        world.deliver_webhooks()
        world.replay_webhooks()
        world.sync()
        account.save()
        Payment.objects.create(account=account, total="5.00")
        done = world.backfill()
        assert done["shop.Account"].forgotten == 1
        assert leaks(dump()) == {}
        world.settle()
    assert leaks(dump()) == {}
    assert leaks({"log": log.log.getvalue()}, EMAIL, NAME) == {}
    assert leaks(pages()) == {}
    assert leaks(at_partnerstack(world, *OF_CUSTOMER)) == {}


def test_an_emptied_mirror_that_is_synced_again_has_no_trace(world: World, account: Account) -> None:
    from django_partnerstack.resources import RESOURCES

    track.forget(account)
    for resource in RESOURCES.values():
        resource.model.objects.all().delete()
    world.sync()
    assert leaks(dump()) == {}
