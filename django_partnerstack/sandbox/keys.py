"""The two key pairs of the sandbox, and who is asking."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping

#: Public and secret key of the sandbox's test mode. They work nowhere else.
TEST_KEYS = ("pk_sandboxTestPublicKey0000000000001", "sk_sandboxTestSecretKey0000000000001")
#: Public and secret key of the sandbox's production mode. They work nowhere else.
PRODUCTION_KEYS = ("pk_sandboxLivePublicKey0000000000001", "sk_sandboxLiveSecretKey0000000000001")

MODES = {TEST_KEYS: "test", PRODUCTION_KEYS: "production"}


def mode_of(headers: Mapping[str, str]) -> str | None:
    """
    The mode that the key pair in ``Authorization: Basic`` stands for; None without a valid pair.

    The pair alone is the mode (docs.partnerstack.com/reference/auth). A bearer token belongs to the
    partners' API and is nobody here.
    """
    given = next((value for name, value in headers.items() if name.lower() == "authorization"), "")
    scheme, _, encoded = given.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        public, _, secret = base64.b64decode(encoded.strip(), validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None
    return MODES.get((public, secret))
