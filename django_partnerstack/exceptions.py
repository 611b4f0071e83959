"""
Every error of this package, as one tree. Nothing here imports Django, so that the client works without it.

    PartnerStackError
    ├── InvalidArgument           refused before anything was sent or queued (also a ValueError)
    ├── SourceError               a source, or what it returned, cannot be used
    ├── RefundError               there is nothing, or not enough, to refund
    ├── AlreadyReported           PartnerStack has the customer, so its partner cannot be changed here
    ├── InvalidTransition         a message in its state does not allow this action
    ├── DeliveryPaused            no request may go now; no message is the cause
    ├── LookUpTimeout             there was no time left for a look-up
    ├── SyncLocked                another run is syncing this resource
    ├── ConfigurationError        a setting must be changed (is in ``connection``, which imports Django)
    ├── RecordError               an object from PartnerStack cannot be used
    ├── PagingError               a list does not come to an end
    └── RequestError              a request failed: method, path, retryable, ambiguous
        ├── NotSent               no connection: DNS, refused, TLS. Nothing happened
        ├── ReplyLost             sent, but no whole answer came back: time-out, reset, deadline
        ├── UnusableReply         not an answer of PartnerStack's: HTML, empty, too large, redirect
        └── ErrorReply            PartnerStack answered with an error: status, message
            ├── BadRequest        400, 422 and other 4xx
            ├── AuthenticationFailed  401
            ├── Forbidden         403
            ├── NotFound          404
            ├── Conflict          409, and a 400 or 422 about an existing object
            ├── RateLimited       429
            └── ServerError       5xx
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class PartnerStackError(Exception):
    """Base of every error of this package."""


class InvalidArgument(PartnerStackError, ValueError):
    """An argument breaks a limit that PartnerStack documents; nothing was sent."""


class SourceError(PartnerStackError):
    """A source, or what it returned, cannot be used; the message says what to change."""


class RefundError(PartnerStackError):
    """The payment was never reported, is refunded already, or was for less."""


class AlreadyReported(PartnerStackError):
    """PartnerStack has the customer already, and does not move customers from one partner to another."""


class InvalidTransition(PartnerStackError):
    """The message's state does not allow this action; the text names the state."""


class DeliveryPaused(PartnerStackError):
    """No request may go now. No message is the cause, so this does not count as an attempt."""


class LookUpTimeout(PartnerStackError):
    """There was no time left for the look-up."""


class SyncLocked(PartnerStackError):
    """Another run is syncing this resource."""


class RecordError(PartnerStackError):
    """
    An object from PartnerStack that cannot be used, with the field that is to blame.

    ``raw`` is the object as it came, for a report; it is not part of the message. ``position`` is its
    place, from 0, among the items of the page it came in.
    """

    def __init__(
        self, message: str, *, field: str = "", raw: Any = None, position: int | None = None
    ) -> None:
        super().__init__(message)
        self.field = field
        self.raw = raw
        self.position = position


class PagingError(PartnerStackError):
    """A list gave the same cursor twice, so that walking on would never end."""


class RequestError(PartnerStackError):
    """
    A request that went wrong. The message names method and path, never a key or a body.

    ``retryable``: the same request may go well later. ``ambiguous``: PartnerStack may have done what was
    asked, so that a write must be looked up before it is sent again.
    """

    retryable = False
    ambiguous = False

    def __init__(
        self,
        message: str,
        *,
        method: str,
        path: str,
        status: int | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(f"{method} {path}: {f'{status} ' if status else ''}{message}")
        self.message = message
        self.method = method
        self.path = path
        self.status = status
        #: Response headers, for PartnerStack's support. Empty if there was no answer.
        self.headers: Mapping[str, str] = headers or {}


class NotSent(RequestError):
    """No connection could be made, so nothing happened at PartnerStack."""

    retryable = True


class ReplyLost(RequestError):
    """The request went out and no whole answer came back: it may have been carried out."""

    retryable = True
    ambiguous = True


class UnusableReply(RequestError):
    """The answer is none of PartnerStack's (a proxy's page, no body, too many bytes, a redirect)."""

    retryable = True
    ambiguous = True


class ErrorReply(RequestError):
    """PartnerStack answered with an error. ``status`` is its HTTP status, ``message`` its own words."""


class BadRequest(ErrorReply):
    """The request is not acceptable as it is; sending it again changes nothing."""


class AuthenticationFailed(ErrorReply):
    """The keys are missing or wrong, or are not a vendor's key pair."""


class Forbidden(ErrorReply):
    """The keys are right and may not do this."""


class NotFound(ErrorReply):
    """No such object, or one of the other mode, or one made minutes ago."""


class Conflict(ErrorReply):
    """PartnerStack speaks of an object that exists already. Compare before calling it a success."""


class RateLimited(ErrorReply):
    """Too many requests from this address. ``retry_after``: seconds to wait, if PartnerStack said so."""

    retryable = True

    def __init__(self, message: str, *, retry_after: float | None = None, **where: Any) -> None:
        super().__init__(message, **where)
        self.retry_after = retry_after


class ServerError(ErrorReply):
    """PartnerStack failed; a write may have been carried out all the same."""

    retryable = True
    ambiguous = True

    def __init__(self, message: str, *, retry_after: float | None = None, **where: Any) -> None:
        super().__init__(message, **where)
        self.retry_after = retry_after
