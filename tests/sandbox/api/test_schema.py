"""Documented: PartnerStack's message "'target_type' is a required property"."""

import pytest

from django_partnerstack.sandbox.api.schema import check, integer, nullable, text
from django_partnerstack.sandbox.replies import Refusal

SCHEMA = {
    "type": ["object"],
    "required": ["name"],
    "properties": {
        "name": text(5, 2),
        "kind": {"type": ["string"], "enum": ["a", "b"]},
        "number": integer(1, 9, null=True),
        "tags": nullable("array", items=text(3)),
    },
}


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ({}, "'name' is a required property"),
        ({"name": None}, "None is not of type 'string'"),
        ({"name": "x"}, "'x' is too short"),
        ({"name": "xxxxxx"}, "'xxxxxx' is too long"),
        ({"name": "xx", "kind": "c"}, "'c' is not one of ['a', 'b']"),
        ({"name": "xx", "number": 0}, "0 is less than the minimum of 1"),
        ({"name": "xx", "number": 10}, "10 is greater than the maximum of 9"),
        ({"name": "xx", "number": True}, "True is not of type 'integer', 'null'"),
        ({"name": "xx", "number": 1.5}, "1.5 is not of type 'integer', 'null'"),
        ({"name": "xx", "tags": ["long"]}, "'long' is too long"),
        ({"name": "xx", "more": 1}, "Additional properties are not allowed ('more' was unexpected)"),
    ],
)
def test_a_problem_has_the_message_of_json_schema(body, problem):
    with pytest.raises(Refusal) as refusal:
        check(body, SCHEMA, reject_unknown=True)
    assert (refusal.value.status, refusal.value.message) == (400, problem)


def test_a_valid_body_is_accepted():
    check({"name": "xx", "number": None, "tags": ["a"], "more": 1}, SCHEMA, reject_unknown=False)
