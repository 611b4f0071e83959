"""Types of command arguments. argparse prints their errors in one line."""

from __future__ import annotations

import argparse
import re
from datetime import datetime, timedelta

from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime

UNITS = {"h": "hours", "d": "days"}


def positive_int(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number above 0")
    return int(text)


def time_or_age(text: str) -> datetime:
    """A date, a date and time, or an age such as 36h. Aware; without a zone it is in the site's time zone."""
    if age := re.fullmatch(r"([0-9]{1,4})([hd])", text):
        return timezone.now() - timedelta(**{UNITS[age[2]]: int(age[1])})
    try:
        day = parse_date(text)
        when = datetime.combine(day, datetime.min.time()) if day else parse_datetime(text)
    except ValueError:
        when = None
    if when is None:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not a time; write 2026-01-31, 2026-01-31T12:00, 36h or 7d"
        )
    return when if timezone.is_aware(when) else timezone.make_aware(when)
