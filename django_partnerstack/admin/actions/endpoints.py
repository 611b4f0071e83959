"""The page with the webhook endpoints that PartnerStack has, and the forms that change them."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _

from ...client import Client
from ...client.retry import RetryPolicy
from ...connection import ConfigurationError, get_client
from ...exceptions import EndpointError
from ...models import WebhookEvent
from ...webhooks import endpoints
from ..display.links import admin_url

logger = logging.getLogger(__name__)

#: Seconds that PartnerStack may take to answer.
SECONDS = 20


@transaction.non_atomic_requests
def endpoints_view(model_admin: Any, request: HttpRequest) -> HttpResponse:
    """Shows the endpoints. Registers or removes one after a confirmation, for users who may."""
    if not model_admin.has_view_permission(request):
        raise PermissionDenied
    may_change = model_admin.has_endpoints_permission(request)
    if request.method == "POST" and not may_change:
        raise PermissionDenied
    key, site_url = request.POST.get("remove", ""), request.POST.get("register", "")
    if "confirmed" in request.POST:
        _change(model_admin, request, key, site_url)
        return redirect(admin_url(WebhookEvent, "endpoints"))
    found: list[endpoints.Endpoint] | None = None
    problem = ""
    if not site_url:
        found, problem = _ask(endpoints.endpoints)
    context = {
        **model_admin.admin_site.each_context(request),
        "title": _("Webhook endpoints"),
        "opts": model_admin.opts,
        "media": model_admin.media,
        "may_change": may_change,
        "site_url": site_url or request.build_absolute_uri("/").rstrip("/"),
        "is_registering": bool(site_url),
        "removing": next((each for each in found or () if each.key == key), None),
        "endpoints": found,
        "problem": problem,
    }
    return TemplateResponse(request, "admin/partnerstack/webhookevent/endpoints.html", context)


def _change(model_admin: Any, request: HttpRequest, key: str, site_url: str) -> None:
    if key:
        done, problem = _ask(lambda client: endpoints.remove(client, [key]))
        text = _("PartnerStack delivers nothing to the endpoint {key} any more.").format(key=key)
    else:
        done, problem = _ask(lambda client: endpoints.register(client, site_url))
        text = _("PartnerStack delivers events to this site.")
    if done is None:
        model_admin.message_user(request, problem, messages.ERROR)
        return
    logger.info("%s changed the webhook endpoints.", request.user.get_username())
    model_admin.message_user(request, text, messages.SUCCESS)


def _ask(call: Callable[[Client], Any]) -> tuple[Any, str]:
    """The result of a call, or None and the problem."""
    try:
        with get_client(deadline=SECONDS, retry_policy=RetryPolicy(attempts=1)) as client:
            return call(client), ""
    except (ConfigurationError, EndpointError) as error:
        return None, str(error)
