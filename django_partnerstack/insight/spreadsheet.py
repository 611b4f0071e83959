"""CSV that is safe in a spreadsheet: a text that begins like a formula gets an apostrophe."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from django.utils.timezone import localtime

#: How a formula may begin, also in full width (owasp.org/www-community/attacks/CSV_Injection).
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")

#: Without it, Excel does not read a file as UTF-8.
BOM = "\ufeff"


class _Lines:
    """What ``csv.writer`` writes to: hands each line on."""

    def write(self, line: str) -> str:
        return line


def lines(rows: Iterable[Iterable[Any]]) -> Iterator[str]:
    """The lines of the file, one by one, so that any number of rows takes constant memory."""
    writer = csv.writer(_Lines())
    for row in rows:
        yield writer.writerow([cell(value) for value in row])


def cell(value: Any) -> Any:
    """A number as it is, None as nothing, a time with its offset in the current time zone."""
    if isinstance(value, datetime):
        return localtime(value).isoformat(sep=" ")
    if isinstance(value, str) and value.startswith(FORMULA):
        return f"'{value}"
    return value
