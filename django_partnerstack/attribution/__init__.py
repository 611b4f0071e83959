"""
Which partner sent a visitor: read from the partner's link, stored in a cookie, bound to a new customer.

``remember`` stores the click of a landing page, ``visit_of`` decides which click counts, and ``bind`` saves
that click when the visitor signs up. Source: docs.partnerstack.com/docs/getting-integrated-with-s2s and
/docs/advanced-usage.
"""

from .binding import assign, bind
from .clicks import TOKEN_FIELD, TOKEN_HEADER, Visit, current, remember, visit_of
from .landing import clicked, may_arrive
from .parameters import Click, encode
from .policy import has_consent
from .tokens import add_to_state, token

__all__ = [
    "TOKEN_FIELD",
    "TOKEN_HEADER",
    "Click",
    "Visit",
    "add_to_state",
    "assign",
    "bind",
    "clicked",
    "current",
    "encode",
    "has_consent",
    "may_arrive",
    "remember",
    "token",
    "visit_of",
]
