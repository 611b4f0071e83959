"""The settings that make a site use the sandbox, to be copied."""

from __future__ import annotations

from ..http.authentication import (
    PRODUCTION_KEYS,
    PRODUCTION_TRACKING_TOKEN,
    TEST_KEYS,
    TEST_TRACKING_TOKEN,
)

CREDENTIALS = {
    "test": (*TEST_KEYS, TEST_TRACKING_TOKEN),
    "production": (*PRODUCTION_KEYS, PRODUCTION_TRACKING_TOKEN),
}


def settings_block(url: str, mode: str) -> str:
    """The settings of a site for one mode of the sandbox at a URL, as Python."""
    public_key, secret_key, token = CREDENTIALS[mode]
    settings = {
        "PARTNERSTACK_MODE": mode,
        "PARTNERSTACK_API_URL": f"{url}/api/v2",
        "PARTNERSTACK_CONVERSION_URL": f"{url}/conversion/xid",
        "PARTNERSTACK_PUBLIC_KEY": public_key,
        "PARTNERSTACK_SECRET_KEY": secret_key,
        "PARTNERSTACK_TRACKING_TOKEN": token,
    }
    return "\n".join(f'{name} = "{value}"' for name, value in settings.items())
