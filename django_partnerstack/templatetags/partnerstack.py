"""Template tags for a site's own pages: ``{% load partnerstack %}``."""

from __future__ import annotations

from django import template
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest
from django.templatetags.static import static
from django.utils.html import format_html
from django.utils.safestring import SafeString

from .. import attribution
from ..conf import conf

try:
    from django.middleware.csp import get_nonce
except ImportError:  # before Django 6.0

    def get_nonce(request: HttpRequest) -> None:  # type: ignore[misc]
        """There is none."""


register = template.Library()


@register.simple_tag(takes_context=True)
def partnerstack_hidden_fields(context: template.Context) -> SafeString:
    """
    A hidden field with the visitor's clicks, for a form that is sent where the cookie does not reach.

    Nothing if there are none. With it the page is this visitor's alone. A tag cannot say that for the page:
    a ``csrf_token`` on it does, and so does ``cache_control(private=True)`` on its view.
    """
    token = attribution.token(_request(context))
    if not token:
        return SafeString()
    return format_html('<input type="hidden" name="{}" value="{}">', attribution.TOKEN_FIELD, token)


@register.simple_tag(takes_context=True)
def partnerstack_snippet(context: template.Context) -> SafeString:
    """
    PartnerStackJS for the mode that the site runs in, if PARTNERSTACK_SNIPPET is on.

    Without inline code, and with the nonce of the page's Content Security Policy, be it Django's own or
    django-csp's. Nothing where PARTNERSTACK_ATTRIBUTION_CONSENT says no, since PartnerStackJS sets cookies.
    Source: docs.partnerstack.com/docs/growsumojs.
    """
    if not (conf.snippet and conf.public_key):
        return SafeString()
    request = _request(context)
    if not attribution.has_consent(request):
        return SafeString()
    source, nonce = static("partnerstack/snippet.js"), _nonce(request)
    rest = format_html(' nonce="{}"', nonce) if nonce else ""
    return format_html('<script src="{}" data-key="{}" async{}></script>', source, conf.public_key, rest)


def _request(context: template.Context) -> HttpRequest:
    request = getattr(context, "request", None) or context.get("request")
    if request is None:
        raise ImproperlyConfigured(
            "The tags of partnerstack need the request; render the page with render(request, …)."
        )
    return request


def _nonce(request: HttpRequest) -> str:
    """
    The nonce of this response; "" without a policy that has one.

    Both kinds are lazy, and false until they are turned into text: only that puts them into the header.
    """
    for found in (get_nonce(request), getattr(request, "csp_nonce", None)):
        if found is not None:
            return str(found)
    return ""
