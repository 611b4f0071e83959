"""A visitor's clicks, the newest first: the first is the one that is credited."""

from __future__ import annotations

from dataclasses import replace

from .parameters import Click

#: Clicks that are remembered.
LENGTH = 5


def add(click: Click, kept: tuple[Click, ...]) -> tuple[Click, ...]:
    """
    The clicks with one more; as they were if it is none.

    A page that is loaded again is not another click, which only the click id tells: without one the same
    partner is taken to be clicked again. A click that names nobody takes nobody's place.
    """
    if click.names_nobody:
        return kept or (click,)
    if click.click_id:
        known = any(click.click_id == each.click_id for each in kept)
        return kept if known else (click, *kept)[:LENGTH]
    if kept and not kept[0].click_id and kept[0].partner_key == click.partner_key:
        return (replace(kept[0], at=click.at), *kept[1:])
    return (click, *kept)[:LENGTH]
