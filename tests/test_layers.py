"""The house has floors: a module imports from floors below its own, also inside a function."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

import django_partnerstack

PACKAGE = "django_partnerstack"
ROOT = Path(django_partnerstack.__file__).parent
FLOORS = (
    "__init__ conf exceptions signals",
    "client models",
    "connection mapping sources",
    "attribution outbox sync",
    "dispatch explain track",
    "admin checks management middleware receivers templatetags testing views webhooks",
    "apps urls",
)
FLOOR = {room: floor for floor, rooms in enumerate(FLOORS) for room in rooms.split()}
MODULES = sorted(path.relative_to(ROOT) for path in ROOT.rglob("*.py") if "migrations" not in path.parts)
SANDBOX_GUESTS = ("testing", "management/commands/partnerstack_sandbox.py")


def room_of(module: Path) -> str:
    return module.parts[0].removesuffix(".py")


@cache
def parsed(module: Path) -> ast.Module:
    return ast.parse((ROOT / module).read_text())


def imports(module: Path) -> Iterator[str]:
    """Dotted names that a module imports, inside functions too; relative ones made absolute."""
    package = [PACKAGE, *module.parent.parts]
    for node in ast.walk(parsed(module)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) + 1 - node.level] if node.level else []
            yield from (".".join([*above, *filter(None, [node.module]), alias.name]) for alias in node.names)


def rooms_used(module: Path) -> set[str]:
    """Rooms of this package that a module imports from, besides its own."""
    inside = {name.split(".")[1] for name in imports(module) if name.startswith(f"{PACKAGE}.")}
    rooms = {name if name in FLOOR or name in ("sandbox", "migrations") else "__init__" for name in inside}
    return rooms - {room_of(module)}


def outsiders(module: Path) -> set[str]:
    """Top packages that a module imports from outside this one."""
    return {name.split(".")[0] for name in imports(module)} - {PACKAGE}


def belongs_to(module: Path, *places: str) -> bool:
    return any(module.is_relative_to(place) or room_of(module) == place for place in places)


def test_every_module_stands_on_a_floor() -> None:
    assert {room_of(module) for module in MODULES} <= {*FLOOR, "sandbox"}


def test_imports_go_down_only() -> None:
    up = {
        (str(module), room)
        for module in MODULES
        if room_of(module) != "sandbox"
        for room in rooms_used(module) - {"sandbox"}
        if FLOOR.get(room, 9) >= FLOOR[room_of(module)]
    }
    assert not up


def dotted(module: Path) -> str:
    return ".".join((PACKAGE, *module.with_suffix("").parts)).removesuffix(".__init__")


def test_no_import_leads_in_a_circle() -> None:
    """Not for types either: what can only be described by what uses it is not a part of its own."""
    names = {dotted(module) for module in MODULES}
    sorter: TopologicalSorter[str] = TopologicalSorter()
    for module in MODULES:
        used = {name if name in names else name.rpartition(".")[0] for name in imports(module)}
        sorter.add(dotted(module), *(used & names) - {dotted(module)})
    sorter.prepare()


def test_the_sandbox_needs_nothing_but_python() -> None:
    for module in MODULES:
        if room_of(module) == "sandbox":
            assert not rooms_used(module), module
            assert outsiders(module) <= sys.stdlib_module_names, module


def test_only_tests_and_a_command_know_the_sandbox() -> None:
    visitors = [module for module in MODULES if "sandbox" in rooms_used(module)]
    assert [module for module in visitors if not belongs_to(module, *SANDBOX_GUESTS)] == []


def test_the_client_knows_no_django() -> None:
    knowing = [module for module in MODULES if "django" in outsiders(module)]
    assert [module for module in knowing if belongs_to(module, "client", "exceptions")] == []


def test_only_the_client_speaks_http() -> None:
    speaking = [module for module in MODULES if outsiders(module) & {"requests", "urllib3"}]
    assert [module for module in speaking if not belongs_to(module, "client", "testing")] == []


def test_only_conf_reads_settings() -> None:
    readers = [module for module in MODULES if {"django.conf", "django.conf.settings"} & set(imports(module))]
    assert [module for module in readers if not belongs_to(module, "conf")] == []


def test_only_the_example_project_reads_the_environment() -> None:
    for module in MODULES:
        attributes = {node.attr for node in ast.walk(parsed(module)) if isinstance(node, ast.Attribute)}
        names = {name.split(".")[-1] for name in imports(module)}
        assert not (attributes | names) & {"environ", "environb", "getenv"}, module
