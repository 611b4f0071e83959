"""From the bytes of an answer to the data in it."""

from __future__ import annotations

import json
import math
import re
from typing import Any, NoReturn

#: JSON that gives a text PostgreSQL cannot hold: an escaped NUL, or an escape that may be half a character.
SUSPICIOUS = re.compile(rb"\\u(?:0000|[dD][89a-fA-F])")
UNSTORABLE = re.compile("[\0\ud800-\udfff]")
REPLACEMENT = "\N{REPLACEMENT CHARACTER}"


class Malformed(ValueError):
    """The body is none of PartnerStack's. The message says what is wrong and quotes nothing."""


def load(body: bytes) -> Any:
    """
    The JSON value of a body.

    Every text in it can be stored: NUL, half characters and bytes that are not UTF-8 become U+FFFD. Every
    number is finite.
    """
    if not body.strip():
        raise Malformed("the body is empty; is the URL right?")
    try:
        document = json.loads(
            body.decode("utf-8-sig", "replace").replace("\0", REPLACEMENT),
            parse_float=_finite,
            parse_constant=_refuse,
        )
        return _storable(document) if SUSPICIOUS.search(body) else document
    except RecursionError:
        raise Malformed("the JSON is nested too deep") from None
    except ValueError:
        raise Malformed("the body is not JSON; is the URL right?") from None


def _finite(digits: str) -> float:
    number = float(digits)
    if math.isinf(number):
        raise ValueError("a number too large")
    return number


def _refuse(constant: str) -> NoReturn:
    raise ValueError("not a number")


def _storable(value: Any) -> Any:
    if isinstance(value, str):
        return UNSTORABLE.sub(REPLACEMENT, value)
    if isinstance(value, list):
        return [_storable(each) for each in value]
    if isinstance(value, dict):
        return {_storable(name): _storable(each) for name, each in value.items()}
    return value


def data(document: Any) -> Any:
    """What is in the envelope: ``data``, or ``rdata`` in version 1; None if the answer is a message alone."""
    if not isinstance(document, dict):
        raise Malformed("the answer is not an object")
    return document["data"] if "data" in document else document.get("rdata")


def status(document: Any) -> int | None:
    """The status that the envelope gives, which is a number or a text."""
    value = document.get("status") if isinstance(document, dict) else None
    if isinstance(value, str) and re.fullmatch("[1-9][0-9]{2}", value):
        return int(value)
    return value if type(value) is int else None


def words(document: Any) -> str:
    """What PartnerStack says about it, for people; ``""`` if nothing."""
    if isinstance(document, dict):
        for name in ("message", "error"):
            if isinstance(found := document.get(name), str) and found.strip():
                return found
    return ""
