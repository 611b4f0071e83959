"""The progress and the result of a sync, as printed by ``partnerstack_sync``."""

from __future__ import annotations

from typing import Any

from django.core.management.base import OutputWrapper
from tqdm import tqdm

from ..sync import Pulled

COUNTS = ("created", "updated", "unchanged", "missing", "unusable")
#: How many objects of a resource are read between two lines of progress.
LINE_EVERY = 10_000


class Progress:
    """A progress bar on a terminal, otherwise lines of text; nothing if ``quiet``, as with --json."""

    def __init__(self, out: OutputWrapper, *, quiet: bool) -> None:
        self.out = out
        self.lines = not quiet and not out.isatty()
        self.read: dict[str, int] = {}
        # Written to the terminal directly, because ``out`` ends everything with a new line.
        self.bar = tqdm(unit=" objects", disable=quiet or self.lines, leave=False)

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.bar.close()

    def page(self, pulled: Pulled) -> None:
        before = self.read.get(pulled.resource, 0)
        self.bar.set_description_str(pulled.resource, refresh=False)
        self.bar.update(pulled.read - before)
        if self.lines and pulled.read // LINE_EVERY > before // LINE_EVERY:
            self.out.write(f"{pulled.resource}: {pulled.read:,} read")
        self.read[pulled.resource] = pulled.read

    def done(self, pulled: Pulled) -> Pulled:
        if self.lines:
            counts = ", ".join(
                f"{getattr(pulled, name):,} {name}" for name in COUNTS if getattr(pulled, name)
            )
            self.out.write(f"{pulled.resource}: {counts or 'nothing new'}")
        return pulled


def table(results: list[Pulled]) -> str:
    rows: list[tuple[str, ...]] = [("resource", *COUNTS, "")]
    for result in results:
        counts = (f"{getattr(result, name):,}" for name in COUNTS)
        rows.append((result.resource, *counts, "" if result.complete else "incomplete"))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(_line(row, widths) for row in rows)


def _line(row: tuple[str, ...], widths: list[int]) -> str:
    cells = [row[0].ljust(widths[0]), *map(str.rjust, row[1:], widths[1:])]
    return "  ".join(cells).rstrip()


def as_json(result: Pulled) -> dict[str, Any]:
    """The result of one resource as JSON-serializable data."""
    return {
        "resource": result.resource,
        **{name: getattr(result, name) for name in COUNTS},
        "finished": result.finished,
        "complete": result.complete,
        "reasons": [str(reason) for reason in result.reasons],
        "error": str(result.error) if result.error else None,
    }
