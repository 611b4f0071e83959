from __future__ import annotations

import pytest
from django.test import override_settings

from django_partnerstack.conf import conf


def test_a_setting_has_its_default_where_the_site_says_nothing() -> None:
    assert conf.mode == "test"
    assert conf.api_url == "https://api.partnerstack.com/api/v2"


def test_a_setting_is_read_anew_each_time() -> None:
    with override_settings(PARTNERSTACK_MODE="production"):
        assert conf.mode == "production"
    assert conf.mode == "test"


@pytest.mark.parametrize(("public", "secret"), [("", ""), ("pk", ""), ("", "sk")])
def test_half_a_key_pair_is_none(public: str, secret: str) -> None:
    with override_settings(PARTNERSTACK_PUBLIC_KEY=public, PARTNERSTACK_SECRET_KEY=secret):
        assert not conf.has_keys


def test_a_whole_key_pair_counts() -> None:
    with override_settings(PARTNERSTACK_PUBLIC_KEY="pk", PARTNERSTACK_SECRET_KEY="sk"):
        assert conf.has_keys


def test_every_known_setting_goes_by_the_name_that_a_site_gives_it() -> None:
    known = conf.known()
    assert {"PARTNERSTACK_MODE", "PARTNERSTACK_SECRET_KEY", "PARTNERSTACK_API_URL"} <= set(known)
    assert known["PARTNERSTACK_MODE"].default == "test"


def test_what_a_site_sets_is_listed_with_its_typos() -> None:
    with override_settings(PARTNERSTACK_MOOD="test"):
        assert "PARTNERSTACK_MOOD" in conf.given()
