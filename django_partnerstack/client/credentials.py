"""Keys and tokens: only these objects contain them, and nothing that shows such an object shows a key."""

from __future__ import annotations

import base64
import re
from typing import Any, NoReturn
from urllib.parse import quote

import requests
from requests.auth import AuthBase

from ..exceptions import InvalidArgument

MASK = "***"
URL_ALPHABET = str.maketrans("+/", "-_")
ESCAPE = re.compile("%[0-9A-F]{2}")


class Credential(AuthBase):
    """
    Sets the ``Authorization`` header of a request. Cannot be pickled or copied, and its repr shows no key.

    ``problem`` says why it cannot be used. ``check`` raises it, and not the constructor: the variables of
    that traceback would show the key.
    """

    __slots__ = ("_authorization", "_secrets", "problem")

    def __init__(self, authorization: str, *secrets: str, problem: str) -> None:
        self._authorization = authorization
        self._secrets = secrets
        self.problem = problem

    def check(self) -> None:
        """Raise ``InvalidArgument`` if this cannot be a key."""
        if self.problem:
            raise InvalidArgument(self.problem)

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = self._authorization
        return request

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {MASK}>"

    def __reduce_ex__(self, protocol: Any) -> NoReturn:
        raise TypeError(f"{type(self).__name__} contains a secret and cannot be pickled or copied")

    def secrets(self) -> tuple[str, ...]:
        """The texts that no message may contain, in any of their ``forms``."""
        return (*self._secrets, self._authorization.partition(" ")[2])


class Keys(Credential):
    """
    A vendor's key pair, sent as HTTP Basic: the public key is the user name, the secret key the password.

    Documented at docs.partnerstack.com/reference (Authentication).
    """

    __slots__ = ("masked",)

    def __init__(self, public_key: str, secret_key: str) -> None:
        problem = _problem("public_key", public_key) or _problem("secret_key", secret_key)
        if not problem and ":" in public_key:
            problem = "public_key contains a colon, which HTTP Basic does not allow in a user name."
        pair = base64.b64encode(f"{public_key}:{secret_key}".encode("utf-8", "replace")).decode()
        super().__init__(f"Basic {pair}", public_key, secret_key, problem=problem)
        #: Enough of the public key to distinguish two accounts.
        self.masked = MASK if problem or len(public_key) < 12 else f"{public_key[:3]}…{public_key[-4:]}"


class TrackingToken(Credential):
    """The token of server-to-server tracking, sent as a bearer token. It cannot be used for anything else."""

    def __init__(self, token: str) -> None:
        super().__init__(f"Bearer {token}", token, problem=_problem("tracking_token", token))


def forms(secret: str) -> set[str]:
    """
    A secret as a server may repeat it: as it is, in Base64 of both alphabets with or without padding, in
    hexadecimal digits, and each of these percent-encoded in lower or upper case, or with the slashes that
    some servers escape in JSON.
    """
    plain = {secret, secret.rstrip("=")}  # Without the padding, if the secret is Base64 already.
    plain |= {each.translate(URL_ALPHABET) for each in plain}
    for encoded in (base64.b64encode(secret.encode()), base64.urlsafe_b64encode(secret.encode())):
        plain |= {encoded.decode(), encoded.decode().rstrip("=")}
    plain |= {secret.encode().hex(), secret.encode().hex().upper()}
    quoted = {quote(each, safe="") for each in plain}
    escaped = {each.replace("/", r"\/") for each in plain}
    return plain | escaped | quoted | {ESCAPE.sub(lambda escape: escape[0].lower(), each) for each in quoted}


class Scrubber:
    """Replaces keys in texts before they are shown, in every form of ``forms``."""

    __slots__ = ("_pattern",)

    def __init__(self, *credentials: Credential) -> None:
        secrets = {
            form for credential in credentials for secret in credential.secrets() for form in forms(secret)
        }
        # The longest first, because a key may begin with another.
        ordered = sorted(secrets, key=len, reverse=True)
        self._pattern = re.compile("|".join(map(re.escape, ordered)))

    def __call__(self, text: str) -> str:
        return self._pattern.sub(MASK, text)

    def __repr__(self) -> str:
        return "<Scrubber>"

    def __reduce_ex__(self, protocol: Any) -> NoReturn:
        raise TypeError("Scrubber contains secrets and cannot be pickled or copied")


def _problem(name: str, value: str) -> str:
    """Why this cannot be a key, without the value. ``""`` if it can."""
    if not isinstance(value, str) or not value:
        return f"{name} is missing."
    if not (value.isascii() and value.isprintable()) or " " in value:
        return f"{name} contains a space, line break or non-ASCII character. Copy it again."
    return ""
