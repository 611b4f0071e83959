from __future__ import annotations

import pytest

from django_partnerstack.sandbox import (
    PRODUCTION_KEYS,
    PRODUCTION_TRACKING_TOKEN,
    TEST_KEYS,
    TEST_TRACKING_TOKEN,
)

from .run import KEYS, LIVE, ids, run


@pytest.mark.parametrize(
    ("mode", "debug", "deploy", "expected"),
    [
        ("test", False, True, ["W003"]),
        ("test", True, True, []),
        ("test", False, False, []),
        ("production", False, True, []),
    ],
)
def test_a_live_site_in_test_mode_is_warned(
    mode: str, debug: bool, deploy: bool, expected: list[str]
) -> None:
    assert ids(deploy=deploy, **KEYS, PARTNERSTACK_MODE=mode, DEBUG=debug) == expected


def test_the_warning_about_test_mode_says_to_change_the_keys() -> None:
    [warning] = run(deploy=True, **KEYS, DEBUG=False)
    assert "Change your keys to production before launching" in warning.hint


@pytest.mark.parametrize("name", ["PARTNERSTACK_API_URL", "PARTNERSTACK_CONVERSION_URL"])
def test_a_live_site_cannot_use_a_url_of_its_own_machine(name: str) -> None:
    local = {**LIVE, name: "http://localhost:8765/api/v2"}
    assert ids(deploy=True, **local) == ["E010"]
    assert ids(**local) == []


@pytest.mark.parametrize("mode", ["test", "production"])
@pytest.mark.parametrize("pair", [TEST_KEYS, PRODUCTION_KEYS])
def test_a_live_site_cannot_use_the_keys_of_the_sandbox(mode: str, pair: tuple[str, str]) -> None:
    keys = dict(zip(KEYS, pair, strict=True))
    assert "E009" in ids(deploy=True, **keys, PARTNERSTACK_MODE=mode)
    assert ids(**keys, PARTNERSTACK_MODE=mode) == []


@pytest.mark.parametrize("token", [TEST_TRACKING_TOKEN, PRODUCTION_TRACKING_TOKEN])
def test_a_live_site_cannot_use_a_tracking_token_of_the_sandbox(token: str) -> None:
    assert ids(deploy=True, **LIVE, PARTNERSTACK_TRACKING_TOKEN=token) == ["E009"]
    assert ids(**LIVE, PARTNERSTACK_TRACKING_TOKEN=token) == []


@pytest.mark.parametrize(
    ("debug", "deploy", "expected"), [(False, True, ["W010"]), (True, True, []), (False, False, [])]
)
def test_a_live_site_that_sends_nothing_is_warned(debug: bool, deploy: bool, expected: list[str]) -> None:
    assert ids(deploy=deploy, **LIVE, PARTNERSTACK_PUSH_ENABLED=False, DEBUG=debug) == expected
