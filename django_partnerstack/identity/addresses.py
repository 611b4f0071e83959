"""Finding e-mail addresses in texts, JSON and URLs, however they are written there."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import quote, unquote

#: What separates addresses from the text around them, and in URLs also from names and other values.
SEPARATORS, SEPARATORS_IN_URLS = re.compile(r"[\s<>()\[\],;\"]+"), re.compile(r"[\s<>()\[\],;:\"'?&=/|]+")
PUNCTUATION = ".,:;!?'"

#: An address begins after what is no part of an address, or after an escape of a URL or of JSON.
BEGIN = r"(?:(?<![\w.+-])|(?<=%[0-9a-f]{2})|(?<=\\[nrtbf])|(?<=\\u[0-9a-f]{4}))"
END = r"(?![\w-]|\.\w)"


def addresses_in(value: Any) -> Iterator[str]:
    """What may be an e-mail address in the texts of some JSON. Much of it may be none."""
    if isinstance(value, str):
        yield from _addresses_in_text(value)
    elif isinstance(value, Mapping):
        for each in value.values():
            yield from addresses_in(each)
    elif isinstance(value, list):
        for each in value:
            yield from addresses_in(each)


def _addresses_in_text(text: str) -> Iterator[str]:
    for variant in dict.fromkeys((text, unquote(text))):
        if "@" in variant:
            yield variant.strip()
            for separators in (SEPARATORS, SEPARATORS_IN_URLS):
                parts = (part.strip(PUNCTUATION) for part in separators.split(variant))
                yield from (part for part in parts if "@" in part)


def forms(address: str) -> set[str]:
    """An address as a text may contain it: as it is, percent-encoded, and as JSON escapes it."""
    # LIKE ignores the case of ASCII letters only.
    plain = {address, address.lower(), address.upper()}
    plain |= {quote(each, safe=safe) for each in plain for safe in ("", "+", "@", "+@")}
    return plain | {json.dumps(each)[1:-1] for each in plain}


def is_any_in(addresses: Iterable[str], value: Any) -> bool:
    """Whether a text or some JSON contains one of the addresses, and not only as a part of a longer one."""
    pattern = _pattern(addresses)
    return pattern is not None and pattern.search(_text(value)) is not None


def replaced(addresses: Iterable[str], value: Any, replacement: str) -> Any:
    """A text or some JSON with the addresses replaced."""
    pattern = _pattern(addresses)
    if pattern is None:
        return value
    text = pattern.sub(lambda _: replacement, _text(value))
    return text if isinstance(value, str) else json.loads(text)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _pattern(addresses: Iterable[str]) -> re.Pattern[str] | None:
    found = sorted({form for address in addresses for form in forms(address)}, key=len, reverse=True)
    if not found:
        return None
    return re.compile(f"{BEGIN}(?:{'|'.join(map(re.escape, found))}){END}", re.IGNORECASE)
