"""Texts from outside, as every database can store them."""

from __future__ import annotations

import re
from typing import Any

#: NUL, which PostgreSQL cannot store, and half of a surrogate pair, which UTF-8 cannot encode.
UNSTORABLE = re.compile("[\0\ud800-\udfff]")
REPLACEMENT = "\N{REPLACEMENT CHARACTER}"


def storable(value: Any) -> Any:
    """
    A text, or JSON with texts, in which U+FFFD replaces what a database cannot store.

    Call it for texts that come from a response, an exception or a source before they reach a column.
    """
    if isinstance(value, str):
        return UNSTORABLE.sub(REPLACEMENT, value) if UNSTORABLE.search(value) else value
    if isinstance(value, list):
        return [storable(each) for each in value]
    if isinstance(value, dict):
        return {storable(name): storable(each) for name, each in value.items()}
    return value
