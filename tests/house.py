"""
The structure of the package in numbers: ``python -m tests.house [CHECKOUT]`` prints rooms, levels and lines.

A room is a folder within the package. The package's own folder is the house and has no limits of its own.
Only source text is read, so that any checkout can be drawn.
"""

from __future__ import annotations

import ast
import sys
from collections import defaultdict
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from statistics import median

PACKAGE = "django_partnerstack"
#: Imports go down only: to an earlier row, or within a chain to what is left of a "<". Places side by side do
#: not import each other.
ROWS = (
    ("__init__ conf exceptions signals",),
    ("client models telemetry",),
    ("connection sources resources < identity < mapping < throttle",),
    (
        "attribution",
        "sync < webhooks",
        "outbox.permitted outbox.keys < outbox.agreement outbox.remote_search < outbox.operations"
        " < outbox.queue < outbox.compare_with_reported outbox.site_objects"
        " < outbox.payments outbox.backfill < outbox.delivery < outbox.push < outbox.control < outbox",
    ),
    ("privacy < track dispatch worker insight",),
    (
        "status receivers middleware checks management testing contrib",
        "admin.display < admin.actions < admin.business admin.machine < admin.overview < admin"
        " < templatetags",
        "views < urls",
    ),
    ("apps",),
)
#: place: its row, its chain and its step within the chain.
PLACES = {
    place: (row, chain, step)
    for row, chains in enumerate(ROWS)
    for chain in chains
    for step, places in enumerate(chain.split("<"))
    for place in places.split()
}
#: Imports nothing of the rows; `tests/test_layers.py` says who may import it.
APART = "sandbox"


class House:
    """The modules of a package and their imports. A module is named by its path in the package."""

    def __init__(self, package: Path) -> None:
        paths = (path for path in sorted(package.rglob("*.py")) if path.parent.name != "migrations")
        self.sources = {path.relative_to(package).as_posix(): path.read_text() for path in paths}
        self.trees = {module: ast.parse(source) for module, source in self.sources.items()}
        self._modules = {dotted(module): module for module in self.sources}

    @cached_property
    def names(self) -> dict[str, set[str]]:
        """module: the dotted names it imports, also inside functions and for types."""
        return {module: set(imported_names(module, tree)) for module, tree in self.trees.items()}

    @cached_property
    def imports(self) -> dict[str, set[str]]:
        """module: the modules of the package that it imports."""
        return {module: self._of_package(names) - {module} for module, names in self.names.items()}

    def _of_package(self, names: set[str]) -> set[str]:
        modules = {name if name in self._modules else name.rpartition(".")[0] for name in names}
        return {self._modules[name] for name in modules & self._modules.keys()}

    @cached_property
    def rooms(self) -> dict[str, list[str]]:
        """room: its modules. Empty files and management commands do not count."""
        rooms = defaultdict(list)
        for module, tree in self.trees.items():
            room, _, _ = module.rpartition("/")
            if room and tree.body and room != "management/commands":
                rooms[room].append(module)
        return dict(rooms)

    def levels(self, room: str) -> int:
        """The longest chain of imports among the modules of a room, in modules."""
        return len(self.longest_chain(room))

    def longest_chain(self, room: str) -> list[str]:
        chains: dict[str, list[str]] = {}

        def chain(module: str) -> list[str]:
            if module not in chains:
                chains[module] = []  # For a ring, which would have no end.
                below = [chain(other) for other in self.imports[module] & set(self.rooms[room])]
                chains[module] = [module, *max(below, key=len, default=[])]
            return chains[module]

        return max((chain(module) for module in self.rooms[room]), key=len)

    def in_rings(self) -> list[str]:
        """The modules that import themselves by way of others."""
        return [module for module in self.imports if module in self._reached(module)]

    def _reached(self, start: str) -> set[str]:
        reached: set[str] = set()
        waiting = [start]
        while waiting:
            new = self.imports[waiting.pop()] - reached
            reached |= new
            waiting += new
        return reached

    def without_row(self) -> list[str]:
        return [module for module in self.sources if not place_of(module)]

    def arrows_up(self) -> list[str]:
        """``module -> module`` for each import that does not go down."""
        return [
            f"{module} -> {other}"
            for module, others in self.imports.items()
            for other in sorted(others)
            if not may_import(place_of(module), place_of(other))
        ]

    def function_lengths(self, modules: list[str]) -> list[int]:
        """In lines, decorators not counted."""
        nodes = (node for module in modules for node in ast.walk(self.trees[module]))
        functions = (node for node in nodes if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))
        return [(node.end_lineno or node.lineno) - node.lineno + 1 for node in functions]

    def lines(self, module: str) -> int:
        return len(self.sources[module].splitlines())


def dotted(module: str) -> str:
    return ".".join((PACKAGE, *Path(module).with_suffix("").parts)).removesuffix(".__init__")


def imported_names(module: str, tree: ast.Module) -> Iterator[str]:
    """Relative names are returned as absolute names."""
    package = [PACKAGE, *Path(module).parent.parts]
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) + 1 - node.level] if node.level else []
            yield from (".".join([*above, *filter(None, [node.module]), alias.name]) for alias in node.names)


def place_of(module: str) -> str:
    """The entry of ROWS, or APART, that a module belongs to; empty if there is none."""
    first, *inner = Path(module).with_suffix("").parts
    if first == APART:
        return APART
    if inner and inner[0] != "__init__" and any(place.startswith(f"{first}.") for place in PLACES):
        first = f"{first}.{inner[0]}"
    return first if first in PLACES else ""


def may_import(place: str, other: str) -> bool:
    """Whether an import goes down. What is in no row is reported as such, and not here as well."""
    if place == other or other == APART or not (place and other):
        return True
    if place == APART:
        return False
    row, chain, step = PLACES[place]
    other_row, other_chain, other_step = PLACES[other]
    return other_row < row or (other_chain == chain and other_step < step)


def drawing(house: House) -> str:
    apart = ("sandbox/", "testing/")
    without_sandbox = [module for module in house.sources if place_of(module) != APART]
    at_run_time = [module for module in house.sources if not module.startswith(apart)]
    longest = max(at_run_time, key=house.lines)
    rows = [
        f"{room:28} {len(modules):7} {house.levels(room):6} {sum(map(house.lines, modules)):6}"
        for room, modules in sorted(house.rooms.items())
    ]
    numbers = {
        "rooms": len(house.rooms),
        "modules in the largest room": max(map(len, house.rooms.values())),
        "levels in the deepest room": max(map(house.levels, house.rooms)),
        "modules in import rings": len(house.in_rings()),
        "imports that go up": len(house.arrows_up()),
        "modules in no row": len(house.without_row()),
        "modules at run time": len(at_run_time),
        "median module, lines": median(map(house.lines, at_run_time)),
        "longest module, lines": f"{house.lines(longest)} ({longest})",
        "median function, lines": median(house.function_lengths(at_run_time)),
        "lines": sum(map(house.lines, house.sources)),
        "lines without the sandbox": sum(map(house.lines, without_sandbox)),
    }
    head = f"{'room':28} {'modules':>7} {'levels':>6} {'lines':>6}"
    return "\n".join([head, *rows, "", *(f"{title:28} {number}" for title, number in numbers.items())])


if __name__ == "__main__":
    checkout = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent.parent
    print(drawing(House(checkout / PACKAGE)))
