"""The README describes what the package contains, and nothing else."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest
from django.contrib.auth.models import Permission
from django.dispatch import Signal

import django_partnerstack
from django_partnerstack import attribution, signals, sources, telemetry
from django_partnerstack.attribution import script_cookies
from django_partnerstack.conf import Conf
from django_partnerstack.dispatch import celery
from django_partnerstack.models import OutboxMessage, State
from django_partnerstack.outbox.operations import TO_BE_CONFIRMED
from django_partnerstack.templatetags import partnerstack
from tests.shop.models import Account, Payment

PACKAGE = Path(django_partnerstack.__file__).parent
ROOT = Path(__file__).parent.parent
README = (ROOT / "README.rst").read_text()


def section(title: str) -> str:
    """The text below a heading, up to the next heading."""
    _, _, below = README.partition(f"\n{title}\n{'-' * len(title)}\n")
    return re.split(r"\n.+\n---+\n", below)[0]


def explained(title: str) -> list[str]:
    """The names that a section explains: literals at the start of a line, with an indented text below."""
    return re.findall(r"^``([\w.]+).*\n {4}\S", section(title), re.MULTILINE)


def commands() -> list[str]:
    return sorted(path.stem for path in PACKAGE.glob("management/commands/[!_]*.py"))


def check_ids() -> list[str]:
    sources = (path.read_text() for path in PACKAGE.glob("checks/*.py"))
    return sorted({found for source in sources for found in re.findall(r'id="(partnerstack\.\w+)"', source)})


def test_every_setting_is_explained_and_nothing_else() -> None:
    assert sorted(explained("Settings")) == sorted(Conf.known())


def test_every_setting_in_the_text_exists() -> None:
    assert set(re.findall(r"PARTNERSTACK_[A-Z]\w*", README)) <= set(Conf.known())


def test_every_default_is_correct() -> None:
    stated = dict(re.findall(r"^``(PARTNERSTACK_\w+)`` = ``(.*)``$", README, re.MULTILINE))
    defaults = {name: setting.default for name, setting in Conf.known().items()}
    assert stated == {
        name: str(value) if not isinstance(value, str) else f'"{value}"' for name, value in defaults.items()
    }


def test_every_command_is_explained_and_nothing_else() -> None:
    assert sorted(explained("Commands")) == commands()


def test_every_command_tag_and_metric_in_the_text_exists() -> None:
    metrics = re.findall(r'"(partnerstack_\w+)"', (PACKAGE / "insight/status/metrics.py").read_text())
    names = {*partnerstack.register.tags, attribution.TOKEN_FIELD, script_cookies.LANDING, *metrics}
    names |= telemetry.fields(OutboxMessage()).keys()
    assert set(re.findall(r"\bpartnerstack_[a-z_]+", README)) <= {*commands(), *names}


def test_every_check_is_explained_and_nothing_else() -> None:
    assert sorted(explained("Checks")) == check_ids()


def test_every_signal_is_explained_and_nothing_else() -> None:
    declared = {name for name, value in vars(signals).items() if isinstance(value, Signal)}
    assert set(explained("Signals")) == declared


def test_every_state_of_a_message_is_explained_and_nothing_else() -> None:
    states = re.findall(r"^\*([\w ]+)\*\n {4}\S", section("States of a message"), re.MULTILINE)
    assert set(states) == {*(str(state.label) for state in State), str(TO_BE_CONFIRMED)}


@pytest.mark.django_db
def test_every_permission_in_the_text_exists() -> None:
    named = set(explained("In the admin"))
    assert named == set(Permission.objects.filter(codename__in=named).values_list("codename", flat=True))


def test_the_commands_for_a_new_machine_are_in_the_text() -> None:
    assert 'python -m pip install -e ".[example]" && python example_project/manage.py demo' in README
    assert "python -m pip install tox && tox run -e py" in README


def test_the_example_with_the_sandbox_runs() -> None:
    [example] = re.findall(r"code-block:: python\n\n(.+?)\n(?=\S)", section("Sandbox"), re.DOTALL)
    names: dict[str, list[str]] = {}
    exec(textwrap.dedent(example), names)
    assert len(set(names["emails"])) == 1000


def examples(title: str) -> list[str]:
    """The Python in a section."""
    found = re.findall(r"code-block:: python\n\n((?: .*\n|\n)+)", section(title))
    return [textwrap.dedent(example) for example in found]


@pytest.fixture
def no_sources() -> Iterator[None]:
    """Without the sources that the apps of the tests register."""
    registries = (sources.customers, sources.transactions)
    before = [dict(registry) for registry in registries]
    for registry in registries:
        registry.clear()
    yield
    for registry, registered in zip(registries, before, strict=True):
        registry.clear()
        registry.update(registered)


@pytest.fixture
def account(db: None) -> Account:
    return Account(email="ada@shop.example", name="Ada")


@pytest.mark.usefixtures("no_sources")
def test_the_example_of_a_module_with_sources_runs(account: Account) -> None:
    exec(examples("Report customers and payments")[0], {"__package__": "tests.shop"})
    account.save()
    for paid in (False, True):
        Payment(account=account, total=Decimal("49.00"), paid=paid).save()
    queued = OutboxMessage.objects.order_by("pk").values_list(
        "operation", "state", "payload__amount", "reason"
    )
    assert list(queued) == [
        ("customers.save", State.QUEUED, None, ""),
        ("transactions.create", State.SKIPPED, None, "Not paid yet."),
        ("transactions.create", State.QUEUED, 4900, ""),
    ]


def test_the_example_of_the_verbs_runs(account: Account) -> None:
    account.save()
    exec(examples("Report customers and payments")[1], {"account": account})
    queued = OutboxMessage.objects.order_by("pk").values_list("operation", "payload__amount")
    assert list(queued) == [
        ("customers.save", None),
        ("customers.save", None),
        ("transactions.create", 4900),
        ("transactions.delete", None),
        ("transactions.create", 4000),
        ("transactions.delete", None),
        ("actions.create", None),
    ]


def test_the_schedule_for_celery_uses_the_names_of_the_tasks() -> None:
    names: dict[str, dict[str, dict[str, str]]] = {}
    exec(examples("Delivery")[0], names)
    tasks = {value.name for value in vars(celery).values() if hasattr(value, "apply_async")}
    assert {entry["task"] for entry in names["CELERY_BEAT_SCHEDULE"].values()} == tasks - {
        "partnerstack.deliver"
    }


def test_every_file_that_contributing_names_exists() -> None:
    """Files of the package or of the repository; ``partnerstack.py`` is a file of the site."""
    named = set(re.findall(r"``([a-z_/]+(?:\.py|/))``", (ROOT / "CONTRIBUTING.rst").read_text()))
    missing = {name for name in named if not (PACKAGE / name).exists() and not (ROOT / name).exists()}
    assert "track.py" in named
    assert missing == {"partnerstack.py"}
