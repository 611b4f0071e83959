"""Documented: HTTP Basic with the key pair; anything else is 401 (docs.partnerstack.com/reference/auth)."""

import json

import pytest

from django_partnerstack.sandbox import (
    PRODUCTION_KEYS,
    PRODUCTION_TRACKING_TOKEN,
    TEST_KEYS,
    TEST_TRACKING_TOKEN,
)

from ..api_client import basic


def answer(sandbox, headers):
    return sandbox.handle("GET", "/api/v2/partnerships/gstest", headers, b"")


def test_a_key_pair_is_accepted(sandbox):
    assert answer(sandbox, basic(TEST_KEYS)).status == 200


def test_header_names_may_be_in_any_case(sandbox):
    assert answer(sandbox, {"AUTHORIZATION": basic(TEST_KEYS)["Authorization"]}).status == 200


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": f"Bearer {TEST_KEYS[1]}"},
        {"Authorization": "Basic not-base64"},
        {"Authorization": "Basic /w=="},
        {"Authorization": "Basic café"},
        basic((TEST_KEYS[0], PRODUCTION_KEYS[1])),
        basic((TEST_KEYS[1], TEST_KEYS[0])),
        basic((TEST_KEYS[0], "")),
    ],
    ids=["none", "bearer", "no base64", "no text", "no ASCII", "pair of two modes", "swapped", "no secret"],
)
def test_without_a_key_pair_the_answer_is_401(sandbox, headers):
    reply = answer(sandbox, headers)
    assert reply.status == 401
    assert json.loads(reply.body) == {"message": "Unauthorized", "status": 401}


def test_keys_of_both_modes_have_the_same_prefixes():
    for public_key, secret_key in (TEST_KEYS, PRODUCTION_KEYS):
        assert public_key.startswith("pk_")
        assert secret_key.startswith("sk_")
        assert not public_key.startswith("pk_test_")


def test_every_key_and_token_is_different_and_names_the_sandbox():
    tokens = {TEST_TRACKING_TOKEN, PRODUCTION_TRACKING_TOKEN}
    assert len({*TEST_KEYS, *PRODUCTION_KEYS, *tokens}) == 6
    assert all("sandbox" in key for key in (*TEST_KEYS, *PRODUCTION_KEYS, *tokens))
