from __future__ import annotations

import pytest

from django_partnerstack.testing.objects import RemoteObject

CUSTOMER = {
    "key": "cus_1",
    "email": "ada@example.com",
    "partner_key": "ada",
    "mdata": {"plan": "pro", "seats": 3},
}


@pytest.mark.parametrize(
    "named",
    [
        {"email": "ada@example.com"},
        {"email": "ada@example.com", "partner_key": "ada"},
        {"mdata": {"plan": "pro"}},
        CUSTOMER,
        RemoteObject(CUSTOMER),
    ],
)
def test_an_object_equals_what_names_some_of_its_fields(named: dict[str, object]) -> None:
    assert RemoteObject(CUSTOMER) == named
    assert named == RemoteObject(CUSTOMER)
    assert [RemoteObject(CUSTOMER)] == [named]
    assert (RemoteObject(CUSTOMER) != named) is False


@pytest.mark.parametrize(
    "other",
    [
        {},
        {"email": "eve@example.com"},
        {"email": "ada@example.com", "phone": None},
        {"mdata": {"plan": "free"}},
        {"mdata": {}},
        RemoteObject(CUSTOMER | {"key": "cus_2"}),
        RemoteObject({"email": "ada@example.com"}),
        "cus_1",
        None,
    ],
)
def test_an_object_differs_from_everything_else(other: object) -> None:
    assert RemoteObject(CUSTOMER) != other
    assert (RemoteObject(CUSTOMER) == other) is False
    assert [RemoteObject(CUSTOMER)] != [other]


def test_an_object_is_shown_by_what_tells_it_from_others() -> None:
    assert (
        repr(RemoteObject(CUSTOMER)) == "{'key': 'cus_1', 'email': 'ada@example.com', 'partner_key': 'ada'}"
    )
    assert repr(RemoteObject({"plan": "pro"})) == "{'plan': 'pro'}"
