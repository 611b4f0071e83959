from __future__ import annotations

from typing import Any

from django.core.checks import CheckMessage, Error, Warning

from ..conf import conf

PUBLIC, SECRET, TOKEN = "PARTNERSTACK_PUBLIC_KEY", "PARTNERSTACK_SECRET_KEY", "PARTNERSTACK_TRACKING_TOKEN"


def check_keys(**kwargs: Any) -> list[CheckMessage]:
    """None counts as absent: it is what ``os.environ.get`` gives."""
    given = {PUBLIC: conf.public_key, SECRET: conf.secret_key, TOKEN: conf.tracking_token}
    errors = [*_not_text(given), *_blanks(given)]
    return errors or [*_incomplete(), *_swapped()]


def _not_text(given: dict[str, Any]) -> list[CheckMessage]:
    return [
        Error(
            f"{name} is not text.",
            hint="Give the key as a string, or leave the setting out.",
            id="partnerstack.E004",
        )
        for name, key in given.items()
        if key is not None and not isinstance(key, str)
    ]


def _blanks(given: dict[str, Any]) -> list[CheckMessage]:
    return [
        Error(
            f"{name} has blanks or a line break around it.",
            hint="Remove them; PartnerStack would refuse the key.",
            id="partnerstack.E003",
        )
        for name, key in given.items()
        if isinstance(key, str) and key != key.strip()
    ]


def _incomplete() -> list[CheckMessage]:
    if conf.has_keys:
        return []
    if not conf.public_key and not conf.secret_key:
        return [
            Warning(
                "No PartnerStack keys are set: the site runs, and nothing is exchanged with PartnerStack.",
                hint=f"Set {PUBLIC} and {SECRET}. PartnerStack shows both under Settings > Integrations.",
                id="partnerstack.W001",
            )
        ]
    there, absent = (PUBLIC, SECRET) if conf.public_key else (SECRET, PUBLIC)
    return [Error(f"{there} is set without {absent}.", hint="Set both, or none.", id="partnerstack.E001")]


def _swapped() -> list[CheckMessage]:
    """Public keys begin with pk_, secret keys with sk_ (not documented; so are all that were seen)."""
    public_is_secret = (conf.public_key or "").startswith("sk_")
    secret_is_public = (conf.secret_key or "").startswith("pk_")
    if not public_is_secret and not secret_is_public:
        return []
    return [
        Error(
            f"{PUBLIC} and {SECRET} are swapped.",
            hint=f"{PUBLIC} is the one that begins with pk_, {SECRET} the one that begins with sk_.",
            id="partnerstack.E002",
        )
    ]
