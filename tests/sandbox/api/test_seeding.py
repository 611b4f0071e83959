import json

import pytest

from django_partnerstack.sandbox import Sandbox
from django_partnerstack.sandbox.resources import RESOURCES

COUNTS = dict.fromkeys(RESOURCES, 25)


def everything(sandbox):
    return json.dumps({name: sandbox.objects(name) for name in RESOURCES})


def test_the_same_arguments_give_the_same_objects(clock):
    first = everything(Sandbox(**COUNTS, clock=clock))
    clock.now += 1000
    assert everything(Sandbox(**COUNTS, clock=clock)) == first


def test_another_seed_gives_other_objects():
    assert everything(Sandbox(**COUNTS, seed=2)) != everything(Sandbox(**COUNTS))


@pytest.mark.parametrize("name", COUNTS)
def test_the_number_of_objects_is_as_given(name):
    own_partner = name == "partnerships"
    assert len(Sandbox(**COUNTS).objects(name)) == 25 + own_partner


def test_objects_refer_to_each_other():
    sandbox = Sandbox(**COUNTS)
    partners = {row["key"] for row in sandbox.objects("partnerships")}
    customers = {row["key"] for row in sandbox.objects("customers")}
    assert {row["partnership_key"] for row in sandbox.objects("customers")} <= partners
    assert {row["customer_key"] for row in sandbox.objects("transactions")} <= customers
    assert all(row["transaction"] and row["partnership"] for row in sandbox.objects("rewards"))


def test_some_objects_have_the_same_created_at():
    stamps = [row["created_at"] for row in Sandbox(**COUNTS).objects("customers")]
    assert len(set(stamps)) < len(stamps)


def test_other_objects_can_be_seeded_without_partnerships():
    assert len(Sandbox(customers=2, deals=2, mode="production").objects("deals")) == 2
