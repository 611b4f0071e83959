"""
Every error of this package, as one tree. Nothing here imports Django, so that the client works without it.

    PartnerStackError
    ├── InvalidArgument           refused before anything was sent or queued (also a ValueError)
    ├── SourceError               a source, or what it returned, cannot be used
    ├── KeyCollision              a customer or transaction key belongs to another object or payment
    │   └── PaymentConflict       a payment differs from what was reported under its key
    ├── RefundError               there is nothing, or not enough, to refund
    ├── AlreadyReported           PartnerStack has the customer, so its partner cannot be changed here
    ├── InvalidTransition         a message in its state does not allow this action
    ├── DeliveryPaused            no request may be sent now; no message is the cause
    ├── LookUpTimeout             there was no time left for a look-up
    ├── SyncLocked                another run is syncing this resource
    ├── EndpointError             PartnerStack's webhook endpoints could not be read or changed
    ├── ConfigurationError        a setting must be changed (is in ``connection``, which imports Django)
    ├── RecordError               an object from PartnerStack cannot be used
    ├── PagingError               a list would never end
    └── RequestError              a request failed: method, path, retryable, in_doubt
        ├── NotSent               no connection: DNS, refused, TLS. Nothing happened
        ├── NetworkRefused        a test run may not use the network. Nothing happened
        ├── ReplyLost             sent, but no whole answer came back: time-out, reset, deadline
        ├── UnusableReply         not an answer of PartnerStack's: HTML, empty, too large, redirect
        └── ErrorReply            PartnerStack answered with an error: status, message
            ├── BadRequest        400, 422 and other 4xx
            ├── AuthenticationFailed  401
            ├── Forbidden         403
            ├── NotFound          404
            ├── Conflict          409, and a 400 or 422 about an existing object
            └── RetryableReply    retry_after
                ├── NotProcessed  408, 425
                ├── RateLimited   429
                └── ServerError   5xx
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = [
    "AlreadyReported",
    "AuthenticationFailed",
    "BadRequest",
    "Conflict",
    "DeliveryPaused",
    "EndpointError",
    "ErrorReply",
    "Forbidden",
    "InvalidArgument",
    "InvalidTransition",
    "KeyCollision",
    "LookUpTimeout",
    "NetworkRefused",
    "NotFound",
    "NotProcessed",
    "NotSent",
    "PagingError",
    "PartnerStackError",
    "PaymentConflict",
    "RateLimited",
    "RecordError",
    "RefundError",
    "ReplyLost",
    "RequestError",
    "RetryableReply",
    "ServerError",
    "SourceError",
    "SyncLocked",
    "UnusableReply",
]


class PartnerStackError(Exception):
    """Base of every error of this package. All can be pickled and copied, with their attributes."""

    def __reduce__(self) -> tuple[Any, ...]:
        # By default Python calls the class with ``args`` alone, without the keyword arguments.
        return _rebuild, (type(self), self.args, vars(self))


def _rebuild(
    error_class: type[PartnerStackError], args: tuple[Any, ...], state: dict[str, Any]
) -> PartnerStackError:
    error = error_class.__new__(error_class, *args)
    error.args = args
    vars(error).update(state)
    return error


class InvalidArgument(PartnerStackError, ValueError):
    """An argument breaks a limit that PartnerStack documents; nothing was sent."""


class SourceError(PartnerStackError):
    """A source, or what it returned, cannot be used; the message says what to change."""


class KeyCollision(PartnerStackError):
    """A customer key or a transaction key belongs to another object or payment; nothing was queued."""


class PaymentConflict(KeyCollision):
    """
    A payment differs from what was reported under its key, by another object or before it changed; nothing
    was queued.
    """


class RefundError(PartnerStackError):
    """The payment was never reported, is refunded already, or was for less."""


class AlreadyReported(PartnerStackError):
    """PartnerStack has the customer already, and does not move customers from one partner to another."""


class InvalidTransition(PartnerStackError):
    """The message's state does not allow this action; the text names the state."""


class DeliveryPaused(PartnerStackError):
    """No request may be sent now. No message is the cause, so this does not count as an attempt."""


class LookUpTimeout(PartnerStackError):
    """There was no time left for the look-up."""


class SyncLocked(PartnerStackError):
    """Another run is syncing this resource."""


class EndpointError(PartnerStackError):
    """PartnerStack's webhook endpoints could not be read or changed. The text contains no secret."""


class RecordError(PartnerStackError):
    """
    An object from PartnerStack cannot be used.

    ``field``: the field that is the cause. ``raw``: the object as it was received; it is not in the message.
    ``position``: its place, from 0, among the items of its page.
    """

    def __init__(
        self, message: str, *, field: str = "", raw: Any = None, position: int | None = None
    ) -> None:
        super().__init__(message)
        self.field = field
        self.raw = raw
        self.position = position


class PagingError(PartnerStackError):
    """A list would never end: it returned the same cursor twice, or more pages than any programme has."""


class RequestError(PartnerStackError):
    """
    A request failed. The message names method and path, never a key or a body.

    ``retryable``: the same request may succeed later. ``in_doubt``: PartnerStack may have carried it out, so
    a write must be looked up before it is sent again. Both are set here, by class, and nowhere else.
    """

    retryable = False
    in_doubt = False

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
    """No connection could be opened, so PartnerStack received nothing."""

    retryable = True


class NetworkRefused(RequestError):
    """A test run attempted to reach PartnerStack without its test kit; nothing was sent."""


class ReplyLost(RequestError):
    """The request was sent, and no complete answer was received."""

    retryable = True
    in_doubt = True


class UnusableReply(RequestError):
    """The answer is not from PartnerStack's API: a proxy's page, no body, too many bytes, a redirect."""

    retryable = True
    in_doubt = True


class ErrorReply(RequestError):
    """PartnerStack answered with an error: ``status``, and ``message`` in PartnerStack's own words."""


class BadRequest(ErrorReply):
    """PartnerStack does not accept the request; sending it again changes nothing."""


class AuthenticationFailed(ErrorReply):
    """The keys are missing or wrong, or are not a vendor's key pair."""


class Forbidden(ErrorReply):
    """The keys are valid, but not for this request."""


class NotFound(ErrorReply):
    """No such object, or an object of the other mode, or created only minutes ago."""


class Conflict(ErrorReply):
    """PartnerStack has such an object already. Compare it before you treat this as success."""


class RetryableReply(ErrorReply):
    """Base of the next three. ``retry_after``: the seconds that PartnerStack asks to wait, or None."""

    retryable = True

    def __init__(self, message: str, *, retry_after: float | None = None, **where: Any) -> None:
        super().__init__(message, **where)
        self.retry_after = retry_after


class NotProcessed(RetryableReply):
    """PartnerStack waited in vain for the whole request, or refused to process it yet. Nothing happened."""


class RateLimited(RetryableReply):
    """Too many requests from this address."""


class ServerError(RetryableReply):
    """PartnerStack failed, but may have carried out a write."""

    in_doubt = True


_BY_STATUS: dict[int, type[ErrorReply]] = {
    401: AuthenticationFailed,
    403: Forbidden,
    404: NotFound,
    408: NotProcessed,
    409: Conflict,
    425: NotProcessed,
    429: RateLimited,
}


def error_for_status(status: int) -> type[ErrorReply]:
    """The error of an HTTP status from 400. Its class says whether a retry helps and a write is in doubt."""
    return _BY_STATUS.get(status, ServerError if status >= 500 else BadRequest)
