from __future__ import annotations

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from . import attribution


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
