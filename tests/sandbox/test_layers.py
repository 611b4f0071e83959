"""Inside the sandbox, too, a module imports only from rooms below its own."""

from pathlib import Path

from tests.test_layers import MODULES, imports

BOTTOM_UP = "storage behaviour replies http api resources state dashboard endpoints sandbox __init__"
ROOMS = BOTTOM_UP.split()
PREFIX = "django_partnerstack.sandbox"


def room_of(module: Path) -> str:
    return module.parts[1].removesuffix(".py")


def test_imports_inside_the_sandbox_go_down_only() -> None:
    inside = [module for module in MODULES if module.parts[0] == "sandbox"]
    assert {room_of(module) for module in inside} == {*ROOMS}
    for module in inside:
        used = {name.split(".")[2] for name in imports(module) if name.startswith(PREFIX + ".")}
        above = ROOMS[ROOMS.index(room_of(module)) + 1 :]
        assert not used & set(above), module


def test_no_room_has_more_than_twelve_modules() -> None:
    folders = [module.parent for module in MODULES if module.parts[0] == "sandbox"]
    assert max(folders.count(folder) for folder in folders) <= 12
