"""Spans of days in the site's current time zone."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from django.utils import timezone

MONTH = re.compile(r"([0-9]{4})-([0-9]{2})")


@dataclass(frozen=True)
class Period:
    """From the ``first`` to the ``last`` day, both included. None: no limit."""

    first: date | None = None
    last: date | None = None

    @property
    def start(self) -> datetime | None:
        """The first moment of the period."""
        return midnight(self.first) if self.first else None

    @property
    def end(self) -> datetime | None:
        """The first moment after the period."""
        return midnight(self.last + timedelta(days=1)) if self.last else None

    @property
    def is_month(self) -> bool:
        return self.first is not None and self == month_of(self.first)

    def __str__(self) -> str:
        if self.first and self.is_month:
            return f"{self.first:%Y-%m}"
        return f"{self.first or ''}..{self.last or ''}" if self.first or self.last else "all"


def midnight(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time.min))


def today() -> date:
    return timezone.localdate()


def month_of(day: date) -> Period:
    first = day.replace(day=1)
    following = (first + timedelta(days=31)).replace(day=1)
    return Period(first, following - timedelta(days=1))


def default_period() -> Period:
    """What a report covers if no days are given: the current month."""
    return month_of(today())


def month_before(period: Period) -> Period:
    """The calendar month before the one in which a period begins."""
    return month_of((period.first or today()).replace(day=1) - timedelta(days=1))


def months(number: int) -> list[Period]:
    """The current month and those before it, ``number`` in all, the earliest first."""
    found = [default_period()]
    while len(found) < number:
        found.insert(0, month_before(found[0]))
    return found


def first_day(text: str) -> date:
    """A day, or the first day of a month: 2026-05-17 or 2026-05. Raises ValueError for any other text."""
    return _days(text)[0]


def last_day(text: str) -> date:
    """A day, or the last day of a month. Raises ValueError for any other text."""
    return _days(text)[1]


def _days(text: str) -> tuple[date, date]:
    try:
        if found := MONTH.fullmatch(text):
            month = month_of(date(int(found[1]), int(found[2]), 1))
            return month.first or date.min, month.last or date.max
        return date.fromisoformat(text), date.fromisoformat(text)
    except (ValueError, OverflowError):
        raise ValueError(f"{text!r} is not a day; write 2026-05-17, or 2026-05 for a month") from None
