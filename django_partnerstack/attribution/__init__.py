"""Which partner sent a visitor: read from the link, kept with the visitor, decided at the sign-up."""

from ..exceptions import AlreadyReported
from .binding import assign, bind
from .landing import clicked, has_consent
from .parameters import Click, decode, encode, read
from .remember import remember
from .visit import TOKEN_FIELD, TOKEN_HEADER, Visit, current, token, visit_of

__all__ = [
    "TOKEN_FIELD",
    "TOKEN_HEADER",
    "AlreadyReported",
    "Click",
    "Visit",
    "assign",
    "bind",
    "clicked",
    "current",
    "decode",
    "encode",
    "has_consent",
    "read",
    "remember",
    "token",
    "visit_of",
]
