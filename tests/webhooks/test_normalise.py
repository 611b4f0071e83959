"""What a delivery is about, by its name, its fields and its keys."""

from __future__ import annotations

from typing import Any

import pytest

from django_partnerstack.webhooks.normalise import normalise, unwrapped

from .conftest import SAMPLES

TEAM = {"team_member": {"email": "jane@partners.example"}, "team": {"key": "stck_1"}}


@pytest.mark.parametrize(
    ("name", "data", "key", "references"),
    [
        ("partnership.updated", {"key": "part_1", "email": "a@b.example"}, "part_1", [("key", "part_1")]),
        ("partnership.updated", {"partnership_key": "part_1"}, "part_1", [("key", "part_1")]),
        (
            "partnership.updated",
            {"partner_key": "jane", "email": "a@b.example"},
            "jane",
            [("partner_key", "jane"), ("email", "a@b.example")],
        ),
        (
            "application.approved",
            {"key": "appl_1", "partnership_key": "part_1", "partner_key": "jane"},
            "appl_1",
            [("key", "part_1")],
        ),
        (
            "application.approved",
            {"key": "appl_1", "partner_key": "jane"},
            "appl_1",
            [("partner_key", "jane")],
        ),
        ("agreement.accepted", {**TEAM, "key": "agr_1"}, "stck_1", [("email", "jane@partners.example")]),
        (
            "agreement.accepted",
            {**TEAM, "team": None, "key": "agr_1"},
            "agr_1",
            [("email", "jane@partners.example")],
        ),
        (
            "agreement.accepted",
            {"approved": True, "partnership": {"email": "a@b.example"}},
            "a@b.example",
            [("email", "a@b.example")],
        ),
        ("customer.updated", {"key": "cus_1", "customer_key": "own-1"}, "cus_1", [("key", "cus_1")]),
        (
            "customer.updated",
            {"key": "own-1", "email": "a@b.example"},
            "own-1",
            [("customer_key", "own-1"), ("email", "a@b.example")],
        ),
        (
            "customer.updated",
            {"external_key": "own-1", "customer_email": "a@b.example"},
            "own-1",
            [("customer_key", "own-1"), ("email", "a@b.example")],
        ),
        (
            "customer.updated",
            {"customer_key": "own-1", "external_key": "own-1"},
            "own-1",
            [("customer_key", "own-1")],
        ),
        ("deal.updated", {"key": "deal_1", "team": {"key": "stck_1"}}, "deal_1", [("key", "deal_1")]),
        ("unheard.of", {"key": "x_1"}, "x_1", []),
    ],
)
def test_the_object_of_an_event_is_identified_by_its_best_key(
    name: str, data: dict[str, Any], key: str, references: list[tuple[str, str]]
) -> None:
    event = normalise({"event": name, "data": data})
    assert (event.key, list(event.references)) == (key, references)


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        ({"key": "part_1"}, "partnership"),
        ({"key": "cus_1"}, "customer"),
        ({"key": "deal_1"}, "deal"),
        ({"key": "lead_1"}, "lead"),
        ({"key": "act_1"}, "action"),
        ({"key": "rwrd_1"}, "reward"),
        ({"key": "grup_1"}, "group"),
        ({"key": "appl_1"}, "application"),
        ({"key": "x_1"}, ""),
        (TEAM, "agreement"),
        ({"team": {}}, ""),
        ({"team_member": {}}, ""),
        ({"partner_key": "jane", "first_name": "Jane", "email": "a@b.example"}, "partnership"),
        ({"partner_key": "jane", "first_name": "Jane", "email": "a@b.example", "key": "x_1"}, ""),
        ({"partner_key": "jane", "first_name": "Jane"}, ""),
        ({"customer_email": "a@b.example"}, "customer"),
    ],
)
def test_an_object_without_an_event_name_is_recognised(content: dict[str, Any], kind: str) -> None:
    assert normalise(content).kind == kind
    assert normalise({"data": content}).kind == kind


@pytest.mark.parametrize(
    ("received", "name", "kind"),
    [
        ("partnership_group_updated", "partnership.group_updated", "partnership"),
        (" Customer.Updated ", "customer.updated", "customer"),
        ("customerupdated", "customerupdated", ""),
        ("unheard.of_it", "unheard.of_it", ""),
        ("deal.created_late", "deal.created_late", "deal"),
        ("x" * 101, "x" * 100, ""),
        ("deal.\x00created", "deal.created", "deal"),
        (7, "", ""),
        (None, "", ""),
    ],
)
def test_names_have_dots_or_underscores(received: Any, name: str, kind: str) -> None:
    event = normalise({"event": received, "data": {}})
    assert (event.name, event.kind) == (name, kind)


def test_the_name_of_a_body_is_kept_as_it_was_received() -> None:
    assert normalise({"event": " Deal_Created"}).received_name == " Deal_Created"


@pytest.mark.parametrize(
    ("key", "usable"),
    [
        ("k" * 255, True),
        ("k" * 256, False),
        (".", False),
        ("..", False),
        ("...", True),
        ("a\nb", False),
        (7, False),
    ],
)
def test_a_key_that_cannot_be_stored_or_sent_is_none(key: Any, usable: bool) -> None:
    event = normalise({"event": "deal.updated", "data": {"key": key}})
    assert (event.key, list(event.references)) == ((key, [("key", key)]) if usable else ("", []))


@pytest.mark.parametrize(
    ("flag", "test"),
    [(True, True), (False, False), (" True", True), ("false", False), ("yes", None), (1, None)],
)
def test_the_flag_of_a_test_may_be_a_text(flag: Any, test: bool | None) -> None:
    assert normalise({"event": "deal.updated", "test": flag}).test is test


def test_the_object_may_be_one_level_further_down() -> None:
    inner = {"key": "deal_1", "updated_at": 1}
    found = normalise({"event": "deal.updated", "data": {"deal": inner}})
    assert (found.key, found.has_time) == ("deal_1", True)
    # Two objects, no object, and a name that is none of a resource.
    assert normalise({"data": {"deal": inner, "lead": {}}}).key == ""
    assert normalise({"data": {"deal": "deal_1"}}).key == ""
    assert normalise({"data": {"thing": inner}}).key == ""


def test_an_event_says_when_its_object_changed_or_not() -> None:
    assert normalise(SAMPLES["v2.deal.created"]["body"]).has_time
    assert not normalise({"event": "deal.updated", "data": {"key": "deal_1"}}).has_time


def test_each_object_of_a_list_is_a_delivery_of_its_own() -> None:
    one, other = {"event": "deal.updated", "data": {}}, {"key": "deal_1"}
    assert list(unwrapped([one, other])) == [one, other]
    assert list(unwrapped({"event": "e", "data": [{"key": "1"}, {"key": "2"}]})) == [
        {"event": "e", "data": {"key": "1"}},
        {"event": "e", "data": {"key": "2"}},
    ]
    for whole in ({"data": []}, {"data": ["1"]}, {"data": [{}, "1"]}):
        assert list(unwrapped(whole)) == [whole]


@pytest.mark.parametrize("body", [None, 7, "deal.updated", ["deal.updated"], [{}, 7]])
def test_what_is_no_object_is_refused(body: Any) -> None:
    with pytest.raises(ValueError, match="A delivery is a JSON object"):
        list(unwrapped(body))
