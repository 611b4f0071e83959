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
        """No nonce, because Django has no Content Security Policy of its own yet."""


register = template.Library()


@register.simple_tag(takes_context=True)
def partnerstack_hidden_fields(context: template.Context) -> SafeString:
    """
    A hidden field with the visitor's clicks, for a form that is sent to a host without the cookie.

    Empty without clicks. A shared cache must not store a page with this field. A tag cannot ensure that:
    use a ``csrf_token`` on the page, or ``cache_control(private=True)`` on its view.
    """
    token = attribution.token(_request(context))
    if not token:
        return SafeString()
    return format_html('<input type="hidden" name="{}" value="{}">', attribution.TOKEN_FIELD, token)


@register.simple_tag(takes_context=True)
def partnerstack_snippet(context: template.Context) -> SafeString:
    """
    A script element that loads PartnerStackJS with the site's public key, if PARTNERSTACK_SNIPPET is True.

    It has no inline code, and has the nonce of the page's Content Security Policy: Django's own or
    django-csp's. Empty if PARTNERSTACK_ATTRIBUTION_CONSENT refuses, because PartnerStackJS sets cookies.
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
            "The partnerstack tags need the request in the context; render the page with render(request, …)."
        )
    return request


def _nonce(request: HttpRequest) -> str:
    """
    The nonce of this response, or "" if no policy has a nonce.

    Django's and django-csp's are falsy until they are converted to text, which adds them to the header.
    """
    for found in (get_nonce(request), getattr(request, "csp_nonce", None)):
        if found is not None:
            return str(found)
    return ""
