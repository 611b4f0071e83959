"""Opening the line by hand, before its time."""

from __future__ import annotations

from .push import site_line


def open_line(mode: str) -> bool:
    """
    Let messages of a mode leave again at once. Returns whether the line was closed.

    After the keys were refused, or too much failed, a single message goes first.
    """
    line = site_line(mode)
    with line.locked(durable=False) as row:
        closed = line.is_closed(row)
        row.closed_until, row.closed_reason = None, ""
        if row.probing:
            row.next_slot_at = None
    return closed
