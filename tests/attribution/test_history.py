"""The clicks of one visitor, the newest first."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from django_partnerstack.attribution import Click
from django_partnerstack.attribution.history import LENGTH, add

from .clicks import click

A, B = click("a", "partner-a"), click("b", "partner-b")
KEY_ALONE = click("", "partner-a")
UNREAD = click("", "", unread_key="Nzg0ZGsdsZWYyMWRi")


def test_the_last_click_comes_first() -> None:
    assert add(B, add(A, ())) == (B, A)


def test_a_page_that_is_loaded_again_is_no_other_click() -> None:
    assert add(replace(A, at=A.at + timedelta(days=1), path="/other"), (A,)) == (A,)
    assert add(A, (B, A)) == (B, A)


def test_without_a_click_id_the_same_partner_is_clicked_again() -> None:
    later = replace(KEY_ALONE, at=A.at + timedelta(days=1), path="/other")
    assert add(later, (KEY_ALONE, B)) == (replace(KEY_ALONE, at=later.at), B)
    assert add(later, (B, KEY_ALONE)) == (later, B, KEY_ALONE)


def test_a_click_that_names_nobody_takes_nobodys_place() -> None:
    assert add(UNREAD, ()) == (UNREAD,)
    assert add(UNREAD, (A,)) == (A,)
    assert add(A, (UNREAD,)) == (A, UNREAD)


def test_only_the_last_are_remembered() -> None:
    clicks: tuple[Click, ...] = ()
    for number in range(LENGTH + 3):
        clicks = add(click(f"c{number}"), clicks)
    assert [each.click_id for each in clicks] == ["c7", "c6", "c5", "c4", "c3"]


@given(st.lists(st.sampled_from([A, B, KEY_ALONE, UNREAD, click("c", "partner-a")]), max_size=12))
def test_whatever_is_clicked_the_history_is_short_and_has_each_click_once(made: list[Click]) -> None:
    clicks: tuple[Click, ...] = ()
    for each in made:
        clicks = add(each, clicks)
    ids = [each.click_id for each in clicks if each.click_id]
    assert len(clicks) <= LENGTH
    assert len(ids) == len(set(ids))
