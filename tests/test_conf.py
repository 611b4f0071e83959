from __future__ import annotations

import pytest
from django.test import override_settings

from django_partnerstack.conf import conf


def test_a_setting_has_a_default_and_is_read_at_each_access() -> None:
    assert conf.mode == "test"
    with override_settings(PARTNERSTACK_MODE="production"):
        assert conf.mode == "production"
    assert conf.mode == "test"


@pytest.mark.parametrize(
    ("public", "secret", "has_keys"),
    [("", "", False), ("pk", "", False), ("", "sk", False), ("pk", "sk", True)],
)
def test_only_both_keys_are_a_key_pair(public: str, secret: str, has_keys: bool) -> None:
    with override_settings(PARTNERSTACK_PUBLIC_KEY=public, PARTNERSTACK_SECRET_KEY=secret):
        assert conf.has_keys is has_keys


def test_every_known_setting_has_the_name_that_a_site_uses() -> None:
    known = conf.known()
    assert {"PARTNERSTACK_MODE", "PARTNERSTACK_SECRET_KEY", "PARTNERSTACK_API_URL"} <= set(known)
    assert known["PARTNERSTACK_API_URL"].default == conf.api_url == "https://api.partnerstack.com/api/v2"


def test_the_settings_of_a_site_are_listed_with_its_typos() -> None:
    with override_settings(PARTNERSTACK_MOOD="test"):
        assert "PARTNERSTACK_MOOD" in conf.given()
