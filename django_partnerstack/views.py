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
    The visitor's clicks as ``{"token": "…"}``, for a one-page app to send along with a sign-up; "" without.

    It comes back as the header ``X-PartnerStack-Token``, or as the field ``partnerstack_token`` of a form.
    """
    return JsonResponse({"token": attribution.token(request)})
