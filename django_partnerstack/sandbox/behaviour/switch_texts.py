"""Switches as people read and write them: in ``--help``, in ``--set`` and on the sandbox's page."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Any, get_args, get_origin

from .switch_values import Offset, Rate, Seconds, choices_of
from .switches import TYPES, Behaviour

#: A longer default is left out where people read it.
LONGEST_DEFAULT = 60


@dataclass(frozen=True)
class Switch:
    """One switch. ``default`` is written as ``parsed`` reads it, ``choices`` says what is possible."""

    name: str
    default: str
    choices: str
    description: str

    @property
    def help(self) -> str:
        """The description and what is possible. The same text is in the README and in ``--help``."""
        return f"{self.description} Possible: {self.choices}."

    @property
    def head(self) -> str:
        """The name with its default, unless that is too long to read."""
        return f"{self.name}={self.default}" if len(self.default) <= LONGEST_DEFAULT else self.name


def switches() -> Iterator[Switch]:
    """All switches, in the order of their declaration."""
    for item in fields(Behaviour):
        choices, default = choices_of(TYPES[item.name]), written(item.default)
        yield Switch(item.name, default, choices, item.metadata["description"])


def written(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return ",".join(map(str, value)) if isinstance(value, tuple) else str(value)


def parsed(name: str, text: str) -> Any:
    """
    The value of a switch that somebody wrote, such as ``true``, ``409``, ``120,360`` or ``name,plan``.

    Raises ValueError for an unknown switch. The value is only checked when it is set.
    """
    kind = TYPES.get(name)
    if kind is None:
        raise ValueError(f"There is no behaviour {name!r}. Known: {', '.join(TYPES)}.")
    if kind == Seconds and "," in text:
        return tuple(map(_number, text.split(",")))
    if kind in (Seconds, Rate, Offset, int, float):
        return _number(text)
    if kind is bool:
        return {"true": True, "false": False}.get(text.lower(), text)
    if get_origin(kind) is tuple:
        return tuple(part.strip() for part in text.split(",") if part.strip())
    assert get_args(kind)  # noqa: S101  all others are a choice between texts
    return text


def _number(text: str) -> float | str:
    try:
        value = float(text)
    except ValueError:
        return text
    return int(value) if value.is_integer() else value
