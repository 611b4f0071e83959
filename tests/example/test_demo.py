from __future__ import annotations

from io import StringIO

import pytest
from django.core.management.base import CommandError, OutputWrapper

from django_partnerstack.models import Group
from django_partnerstack.sandbox import Sandbox
from example_project.saas.demo import messages, mirrors
from example_project.saas.demo.control import Control
from example_project.saas.demo.output import Output
from example_project.saas.models import Account

pytestmark = pytest.mark.django_db


def test_a_mirror_without_an_object_ends_the_demo() -> None:
    with (
        Sandbox(groups=1).serve() as server,
        pytest.raises(CommandError, match="mirror of groups differs"),
    ):
        mirrors.check_mirrors(Control(server.url))


def test_a_mirror_with_an_extra_object_ends_the_demo() -> None:
    Group.objects.create(mode="test", key="group_1")
    with (
        Sandbox(groups=0).serve() as server,
        pytest.raises(CommandError, match="mirror of groups differs"),
    ):
        mirrors.check_mirrors(Control(server.url))


@pytest.mark.parametrize("times", [0, 2])
def test_a_missing_or_repeated_effect_ends_the_demo(account: Account, times: int) -> None:
    out = OutputWrapper(StringIO())
    sandbox = Sandbox()
    sandbox.effects["test", "customers.save", f"saas-account-{account.pk}"] = times
    with (
        sandbox.serve() as server,
        pytest.raises(CommandError, match="not every message had"),
    ):
        messages.count(Output(out, out), Control(server.url))
