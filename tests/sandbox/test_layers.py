"""Inside the sandbox, too, a module imports only from rooms below its own."""

from __future__ import annotations

from tests.test_layers import HOUSE, SANDBOX

BOTTOM_UP = "storage behaviour replies http api resources webhooks state dashboard endpoints sandbox __init__"
ROOMS = BOTTOM_UP.split()
PREFIX = "django_partnerstack.sandbox."


def room_of(module: str) -> str:
    return module.split("/")[1].removesuffix(".py")


def test_imports_inside_the_sandbox_go_down_only() -> None:
    assert {room_of(module) for module in SANDBOX} == {*ROOMS}
    for module in SANDBOX:
        used = {name.split(".")[2] for name in HOUSE.names[module] if name.startswith(PREFIX)}
        above = ROOMS[ROOMS.index(room_of(module)) + 1 :]
        assert not used & set(above), module
