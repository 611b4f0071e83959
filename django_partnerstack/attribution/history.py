"""
The order of a visitor's clicks: newest first, each once, and a limited number of them.

A history is a tuple of clicks. It changes only by the functions here.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from operator import itemgetter

from .parameters import Click

#: How many clicks of a visitor are stored.
LENGTH = 5

History = tuple[Click, ...]


def add_click(click: Click, history: History) -> History:
    """
    The history with a click added, newest first; unchanged if it is not another click.

    A page that is loaded again is not another click. Only the click ID can show that: without it, a link of
    the same partner counts as clicked again. A click without a partner never replaces a click with a partner.
    """
    if not click.is_attributable:
        return history or (click,)
    if click.click_id and any(click.click_id == each.click_id for each in history):
        return tuple(_complete(each, click) for each in history)
    if history and not click.click_id and not history[0].click_id and click.is_same(history[0]):
        return (replace(history[0], at=click.at, at_is_known=click.at_is_known), *history[1:])
    return (click, *history)[:LENGTH]


def add_undated(click: Click, history: History) -> History:
    """
    The history with a click of unknown time added as the newest; unchanged if it may contain the click.

    The visitor has just left its landing page, or a later page of this site would have stored it.
    """
    return history if any(map(click.is_same, history)) else add_click(click, history)


def merge(histories: Iterable[History], undated: Click | None, *, not_before: datetime) -> History:
    """
    One history of several, in the order of time. A click that several contain is taken from the first.

    ``undated``: a click of unknown time, which happened after ``not_before``. It is omitted if it may be the
    newest of the others.
    """
    dated: list[tuple[datetime, Click]] = []
    ids = set()
    for each in (click for history in histories for click in reversed(history)):
        if each.click_id not in ids:
            dated.append((each.at, each))
        ids |= {each.click_id} - {""}
    merged = _newest_first(dated)
    if undated is None or undated.click_id in ids or any(map(undated.is_same, merged[:1])):
        return merged
    return _newest_first([*dated, (not_before, undated)])


def _newest_first(dated: list[tuple[datetime, Click]]) -> History:
    """Of clicks at the same time, the one that is later in the list comes first."""
    history: History = ()
    for _, click in sorted(dated, key=itemgetter(0)):
        history = add_click(click, history)
    return history


def _complete(known: Click, again: Click) -> Click:
    """The known click, with the partner key that only the later request for its landing page contains."""
    if known.click_id != again.click_id or known.partner_key or not again.partner_key:
        return known
    return replace(known, partner_key=again.partner_key, unread_key="")
