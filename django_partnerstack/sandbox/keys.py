"""The two key pairs and the two tracking tokens of the sandbox, and who is asking."""

from __future__ import annotations

import base64
from collections.abc import Mapping

from .headers import header

#: Public and secret key of the sandbox's test mode. They work nowhere else.
TEST_KEYS = ("pk_sandboxTestPublicKey0000000000001", "sk_sandboxTestSecretKey0000000000001")
#: Public and secret key of the sandbox's production mode. They work nowhere else.
PRODUCTION_KEYS = ("pk_sandboxLivePublicKey0000000000001", "sk_sandboxLiveSecretKey0000000000001")
#: Token for conversions in the sandbox's test mode. It works nowhere else.
TEST_TRACKING_TOKEN = "sandboxTestTrackingToken000000000001"  # noqa: S105
#: Token for conversions in the sandbox's production mode. It works nowhere else.
PRODUCTION_TRACKING_TOKEN = "sandboxLiveTrackingToken000000000001"  # noqa: S105

MODES = {TEST_KEYS: "test", PRODUCTION_KEYS: "production"}
TRACKING_MODES = {TEST_TRACKING_TOKEN: "test", PRODUCTION_TRACKING_TOKEN: "production"}


def mode_of(headers: Mapping[str, str]) -> str | None:
    """
    The mode that the key pair in ``Authorization: Basic`` stands for; None without a valid pair.

    The pair alone is the mode (docs.partnerstack.com/reference/auth). A bearer token belongs to the
    partners' API or to conversions, and is nobody here.
    """
    encoded = _credentials(headers, "basic")
    try:
        public, _, secret = base64.b64decode(encoded, validate=True).decode().partition(":")
    except ValueError:
        return None
    return MODES.get((public, secret))


def tracking_mode_of(headers: Mapping[str, str]) -> str | None:
    """
    The mode that the token in ``Authorization: Bearer`` stands for; None without a valid one.

    The token alone is the mode of a conversion, whatever key pair reads it back; the key pair is nobody
    here (docs.partnerstack.com/docs/server-to-server-s2s-tracking).
    """
    return TRACKING_MODES.get(_credentials(headers, "bearer"))


def _credentials(headers: Mapping[str, str], scheme: str) -> str:
    """What follows the scheme in ``Authorization``; empty for another scheme."""
    given, _, credentials = header(headers, "Authorization").partition(" ")
    return credentials.strip() if given.lower() == scheme else ""
