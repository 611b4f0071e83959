"""The sandbox's two key pairs and two tracking tokens, and which mode a request's credentials belong to."""

from __future__ import annotations

import base64
from collections.abc import Mapping

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


def header(headers: Mapping[str, str], name: str) -> str:
    """The value of a header, whose name may be in any case; empty without such a header."""
    return next((value for given, value in headers.items() if given.lower() == name.lower()), "")


def mode_of(headers: Mapping[str, str]) -> str | None:
    """
    The mode of the key pair in ``Authorization: Basic``; None without a valid pair.

    The pair alone decides the mode (docs.partnerstack.com/reference/auth). Bearer tokens belong to the
    partners' API or to conversions, and are not valid here.
    """
    encoded = _credentials(headers, "basic")
    try:
        public, _, secret = base64.b64decode(encoded, validate=True).decode().partition(":")
    except ValueError:
        return None
    return MODES.get((public, secret))


def tracking_mode_of(headers: Mapping[str, str]) -> str | None:
    """
    The mode of the token in ``Authorization: Bearer``; None without a valid token.

    The token alone decides the mode of a conversion. Key pairs are not valid here
    (docs.partnerstack.com/docs/server-to-server-s2s-tracking).
    """
    return TRACKING_MODES.get(_credentials(headers, "bearer"))


def _credentials(headers: Mapping[str, str], scheme: str) -> str:
    """The credentials in ``Authorization``; empty if the scheme is another."""
    given, _, credentials = header(headers, "Authorization").partition(" ")
    return credentials.strip() if given.lower() == scheme else ""
