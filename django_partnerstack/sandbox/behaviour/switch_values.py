"""Validates the value of a switch."""

from __future__ import annotations

from typing import Annotated, Any, get_args, get_origin

#: A share of all cases, from 0 to 1.
Rate = Annotated[float, "from 0 to 1"]
#: A number that may be negative.
Offset = Annotated[float, "any"]
#: A number of seconds, or a range: the minimum and the maximum.
Seconds = float | tuple[float, float]


def validated(name: str, value: Any, kind: Any) -> Any:
    """The value, in the type of the switch. Raises ValueError, which lists what is possible."""
    if kind == Seconds:
        return _seconds(name, value)
    if kind == Rate:
        if not _is_number(value) or value > 1:
            raise ValueError(f"{name} must be a number from 0 to 1, not {value!r}.")
        return value
    if kind == Offset:
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise ValueError(f"{name} must be a number, not {value!r}.")
        return value
    if get_origin(kind) is tuple:
        if not isinstance(value, (list, tuple)):
            raise ValueError(f"{name} must be a list.")
        return tuple(validated(name, item, get_args(kind)[0]) for item in value)
    if choices := get_args(kind):
        if value not in choices:
            raise ValueError(f"{name} must be one of {', '.join(choices)}, not {value!r}.")
        return value
    if kind is bool:
        if not isinstance(value, bool):
            raise ValueError(f"{name} must be true or false, not {value!r}.")
        return value
    if kind is str:
        if not isinstance(value, str):
            raise ValueError(f"{name} must contain text only, not {value!r}.")
        return value
    if not _is_number(value):
        raise ValueError(f"{name} must be a number from 0 up, not {value!r}.")
    return value


def choices_of(kind: Any) -> str:
    """What a switch of this type can be, for people."""
    if kind == Seconds:
        return "seconds, or a minimum and a maximum"
    if kind == Rate:
        return "a number from 0 to 1"
    if kind == Offset:
        return "a number, also below 0"
    if get_origin(kind) is tuple:
        item = get_args(kind)[0]
        return "a list of names" if item is str else f"a list of {', '.join(get_args(item))}"
    if choices := get_args(kind):
        return ", ".join(choices)
    return "true, false" if kind is bool else "a number from 0 up"


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and value >= 0


def _seconds(name: str, value: Any) -> Any:
    if _is_number(value):
        return value
    if (
        isinstance(value, (list, tuple))
        and len(value) == 2
        and all(map(_is_number, value))
        and value[0] <= value[1]
    ):
        return tuple(value)
    raise ValueError(f"{name} must be a number from 0 up, or a minimum and a maximum, not {value!r}.")
