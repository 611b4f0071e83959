import pytest
from django.core.exceptions import ImproperlyConfigured
from django.test import override_settings

from django_partnerstack.connection import ConfigurationError, get_client
from django_partnerstack.sandbox import TEST_KEYS, Sandbox

KEYS = {"PARTNERSTACK_PUBLIC_KEY": TEST_KEYS[0], "PARTNERSTACK_SECRET_KEY": TEST_KEYS[1]}


def test_the_client_uses_the_keys_and_the_url_of_the_settings():
    with (
        Sandbox(partnerships=1).serve() as server,
        override_settings(**KEYS, PARTNERSTACK_API_URL=f"{server.url}/api/v2"),
        get_client() as client,
    ):
        assert client.partnerships.get("gstest").partner_key == "gstest"


@pytest.mark.parametrize("missing", KEYS)
def test_a_missing_key_is_an_error_that_names_the_settings_and_where_to_find_them(missing):
    with override_settings(**{**KEYS, missing: ""}), pytest.raises(ConfigurationError) as caught:
        get_client()
    assert "PARTNERSTACK_SECRET_KEY are not set" in str(caught.value)
    assert isinstance(caught.value, ImproperlyConfigured)


@pytest.mark.parametrize(
    "wrong",
    [
        {"PARTNERSTACK_API_URL": "http://api.partnerstack.com"},
        {"PARTNERSTACK_API_URL": None},
        {"PARTNERSTACK_READ_TIMEOUT": "soon"},
        {"PARTNERSTACK_CONNECT_TIMEOUT": 0},
        {"PARTNERSTACK_CONVERSION_URL": "ftp://partnerlinks.io"},
    ],
    ids=str,
)
def test_a_wrong_setting_is_a_configuration_error_that_shows_no_key(wrong):
    with override_settings(**KEYS, **wrong), pytest.raises(ConfigurationError) as caught:
        get_client()
    assert TEST_KEYS[1] not in str(caught.value)
