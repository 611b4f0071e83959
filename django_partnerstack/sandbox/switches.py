"""The kinds of values that a switch of the behaviour can have."""

from __future__ import annotations

from typing import Annotated, Any, get_args, get_origin

#: A share of all cases.
Rate = Annotated[float, "from 0 to 1"]
#: A number of seconds, or the least and the most of them.
Span = float | tuple[float, float]


def checked(name: str, value: Any, kind: Any) -> Any:
    """The value in the type of the switch, or ValueError with what it can be."""
    if kind == Span:
        return _span(name, value)
    if kind == Rate:
        if not _is_number(value) or value > 1:
            raise ValueError(f"{name} must be a number from 0 to 1, not {value!r}.")
        return value
    if get_origin(kind) is tuple:
        if not isinstance(value, (list, tuple)):
            raise ValueError(f"{name} must be a list.")
        return tuple(checked(name, item, get_args(kind)[0]) for item in value)
    if choices := get_args(kind):
        if value not in choices:
            raise ValueError(f"{name} must be one of {', '.join(choices)}, not {value!r}.")
        return value
    if kind is bool:
        if not isinstance(value, bool):
            raise ValueError(f"{name} must be true or false, not {value!r}.")
        return value
    if not _is_number(value):
        raise ValueError(f"{name} must be a number from 0 up, not {value!r}.")
    return value


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and value >= 0


def _span(name: str, value: Any) -> Any:
    if _is_number(value):
        return value
    if (
        isinstance(value, (list, tuple))
        and len(value) == 2
        and all(map(_is_number, value))
        and value[0] <= value[1]
    ):
        return tuple(value)
    raise ValueError(f"{name} must be a number from 0 up, or the least and the most, not {value!r}.")
