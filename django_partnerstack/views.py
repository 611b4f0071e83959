from __future__ import annotations

import logging

from django.contrib.auth.decorators import login_not_required
from django.db import connections, transaction
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_GET

from . import attribution
from .webhooks import receive

logger = logging.getLogger(__name__)


@login_not_required
@require_GET
@never_cache
def token(request: HttpRequest) -> JsonResponse:
    """
    Return the visitor's clicks as ``{"token": "…"}``, for single-page apps. Without clicks the token is "".

    The app sends the token with the sign-up, in the header ``X-PartnerStack-Token`` or in the form field
    ``partnerstack_token``.
    """
    return JsonResponse({"token": attribution.token(request)})


@csrf_exempt
@login_not_required
@never_cache
@sensitive_variables()
def webhook(request: HttpRequest, secret: str) -> HttpResponse:
    """
    Store a delivery of PartnerStack's. The worker processes it.

    200: stored, by one INSERT. 404: not the secret. 405: not a POST. 413: longer than 256 KiB. 400: not JSON
    that can be a delivery. 503: the database failed, so that PartnerStack may try again. No error is raised,
    and Django logs none of these responses, because the request's path contains the secret.
    """
    response = HttpResponse(status=_status(request, secret), content_type="text/plain")
    if response.status_code == 405:
        response["Allow"] = "POST"
    response._has_been_logged = True  # type: ignore[attr-defined]
    return response


# A transaction of the request would be committed after the response was chosen.
for _alias in connections:
    webhook = transaction.non_atomic_requests(_alias)(webhook)


@sensitive_variables()
def _status(request: HttpRequest, secret: str) -> int:
    if not receive.is_secret(secret):
        return 404
    if request.method != "POST":
        return 405
    try:
        return _stored(request)
    except Exception as error:
        # Without the traceback: the pages of some error reporters would show the request, and so the secret.
        logger.error("A webhook could not be stored: %s: %s", type(error).__name__, error)
        return 503


@sensitive_variables()
def _stored(request: HttpRequest) -> int:
    length = str(request.META.get("CONTENT_LENGTH") or "0")
    is_too_large = length.isdecimal() and int(length[:20]) > receive.LARGEST_BODY
    try:
        body = b"" if is_too_large else request.read(receive.LARGEST_BODY + 1)
    except OSError:  # The sender closed the connection.
        return 400
    if is_too_large or len(body) > receive.LARGEST_BODY:
        receive.count_refused("too large", now=timezone.now())
        return 413
    try:
        receive.receive(body, now=timezone.now())
    except receive.Malformed:
        receive.count_refused("malformed", now=timezone.now())
        return 400
    return 200
