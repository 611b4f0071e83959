"""Rooms are small, have few levels, and imports go down only. ``pytest -s`` prints the numbers."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest

import django_partnerstack
from tests.house import APART, PACKAGE, House, drawing, place_of

HOUSE = House(Path(django_partnerstack.__file__).parent)
SANDBOX = [module for module in HOUSE.sources if place_of(module) == APART]
SANDBOX_USERS = ("sandbox", "testing", "management/commands/partnerstack_sandbox.py")
MODULES_IN_A_ROOM = 12
LEVELS_IN_A_ROOM = 5


def outside(module: str) -> set[str]:
    """Other top-level packages that a module imports from."""
    return {name.split(".")[0] for name in HOUSE.names[module]} - {PACKAGE}


def users_of(packages: set[str], *allowed: str) -> list[str]:
    """Modules that import one of the packages and are not allowed to."""
    users = [module for module in HOUSE.sources if outside(module) & packages]
    return [module for module in users if not belongs_to(module, *allowed)]


def belongs_to(module: str, *places: str) -> bool:
    return any(module in (place, f"{place}.py") or module.startswith(f"{place}/") for place in places)


def test_the_drawing_of_the_house() -> None:
    print(f"\n{drawing(HOUSE)}")


@pytest.mark.parametrize("room", HOUSE.rooms)
def test_a_room_has_twelve_modules_at_most(room: str) -> None:
    modules = HOUSE.rooms[room]
    assert len(modules) <= MODULES_IN_A_ROOM, f"{room} has {len(modules)} modules: {', '.join(modules)}"


@pytest.mark.parametrize("room", HOUSE.rooms)
def test_a_room_has_five_levels_of_import_at_most(room: str) -> None:
    chain = HOUSE.longest_chain(room)
    assert len(chain) <= LEVELS_IN_A_ROOM, f"{room} has {len(chain)} levels: {' -> '.join(chain)}"


def test_every_module_is_in_a_row() -> None:
    lost = HOUSE.without_row()
    assert not lost, f"Name the place of these modules in ROWS of tests/house.py: {', '.join(lost)}"


def test_imports_go_down_only() -> None:
    assert HOUSE.arrows_up() == []


def test_no_module_imports_itself_by_way_of_others() -> None:
    """This includes imports for types."""
    assert HOUSE.in_rings() == []


@pytest.mark.parametrize("module", SANDBOX)
def test_the_sandbox_imports_only_itself_and_the_standard_library(module: str) -> None:
    strangers = outside(module) - sys.stdlib_module_names
    assert not strangers, f"{module} imports {strangers}"
    assert HOUSE.imports[module] <= set(SANDBOX), f"{module} imports {HOUSE.imports[module] - set(SANDBOX)}"


def test_only_testing_and_a_command_import_the_sandbox() -> None:
    users = [module for module, imports in HOUSE.imports.items() if imports & set(SANDBOX)]
    assert [module for module in users if not belongs_to(module, *SANDBOX_USERS)] == []


def test_the_client_does_not_import_django() -> None:
    users = [module for module in HOUSE.sources if "django" in outside(module)]
    assert [module for module in users if belongs_to(module, "client", "exceptions")] == []


def test_only_the_client_speaks_http() -> None:
    assert users_of({"requests", "urllib3"}, "client", "testing") == []


def test_only_conf_reads_settings() -> None:
    readers = [
        module for module, names in HOUSE.names.items() if names & {"django.conf", "django.conf.settings"}
    ]
    assert [module for module in readers if not belongs_to(module, "conf")] == []


def test_only_the_example_project_reads_the_environment() -> None:
    for module, tree in HOUSE.trees.items():
        attributes = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
        names = {name.split(".")[-1] for name in HOUSE.names[module]}
        assert not (attributes | names) & {"environ", "environb", "getenv"}, module
