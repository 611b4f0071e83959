"""The README names what there is, and nothing else."""

from __future__ import annotations

import re
import textwrap
from pathlib import Path

from django.dispatch import Signal

import django_partnerstack
from django_partnerstack import attribution, signals
from django_partnerstack.conf import Conf
from django_partnerstack.templatetags import partnerstack

PACKAGE = Path(django_partnerstack.__file__).parent
ROOT = Path(__file__).parent.parent
README = (ROOT / "README.rst").read_text()


def section(title: str) -> str:
    """The text below a heading, up to the next one."""
    _, _, below = README.partition(f"\n{title}\n{'-' * len(title)}\n")
    return re.split(r"\n.+\n---+\n", below)[0]


def explained(title: str) -> list[str]:
    """What a section explains: the literals that begin a line which has its explanation below."""
    return re.findall(r"^``([\w.]+).*\n {4}\S", section(title), re.MULTILINE)


def commands() -> list[str]:
    return sorted(path.stem for path in PACKAGE.glob("management/commands/[!_]*.py"))


def check_ids() -> list[str]:
    sources = (path.read_text() for path in PACKAGE.glob("checks/*.py"))
    return sorted({found for source in sources for found in re.findall(r'id="(partnerstack\.\w+)"', source)})


def test_every_setting_is_explained_and_no_other() -> None:
    assert sorted(explained("Settings")) == sorted(Conf.known())


def test_no_setting_is_named_that_does_not_exist() -> None:
    assert set(re.findall(r"PARTNERSTACK_[A-Z]\w*", README)) <= set(Conf.known())


def test_every_default_is_right() -> None:
    said = dict(re.findall(r"^``(PARTNERSTACK_\w+)`` = ``(.*)``$", README, re.MULTILINE))
    defaults = {name: setting.default for name, setting in Conf.known().items()}
    assert said == {
        name: str(value) if not isinstance(value, str) else f'"{value}"' for name, value in defaults.items()
    }


def test_every_command_is_explained_and_no_other() -> None:
    assert sorted(explained("Commands")) == commands()


def test_no_command_or_tag_is_named_that_does_not_exist() -> None:
    tags = {*partnerstack.register.tags, attribution.TOKEN_FIELD}
    assert set(re.findall(r"\bpartnerstack_[a-z_]+", README)) <= {*commands(), *tags}


def test_every_check_is_explained_and_no_other() -> None:
    assert sorted(explained("Checks")) == check_ids()


def test_every_signal_is_explained_and_no_other() -> None:
    declared = {name for name, value in vars(signals).items() if isinstance(value, Signal)}
    assert set(explained("Signals")) == declared


def test_the_commands_of_a_fresh_machine_are_there() -> None:
    assert 'python -m pip install -e ".[example]" && python example_project/manage.py demo' in README
    assert "python -m pip install tox && tox run -e py" in README


def test_the_example_of_a_test_with_the_sandbox_runs() -> None:
    [example] = re.findall(r"code-block:: python\n\n(.+?)\n(?=\S)", section("Sandbox"), re.DOTALL)
    names: dict[str, list[str]] = {}
    exec(textwrap.dedent(example), names)
    assert len(set(names["emails"])) == 1000
