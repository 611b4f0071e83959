from __future__ import annotations

from importlib.util import find_spec
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest, HttpResponse
from django.template import Context, RequestContext, Template
from django.test import RequestFactory

from django_partnerstack import attribution

LANDING = "/?ps_xid=SDe1fEo2ok35ne&ps_partner_key=dHJveWNvb3BlcjEzNjQ"


def render(tag: str, request: HttpRequest | None) -> str:
    """As a page of a site without context processors."""
    context = Context() if request is None else RequestContext(request)
    return Template("{% load partnerstack %}{% " + tag + " %}").render(context)


def of_visitor(path: str = "/", **cookies: str) -> HttpRequest:
    request = RequestFactory().get(path)
    request.COOKIES.update(cookies)
    return request


class TestHiddenFields:
    def test_carry_the_click_to_a_request_without_a_cookie(self) -> None:
        field = render("partnerstack_hidden_fields", of_visitor(LANDING))
        assert field.startswith('<input type="hidden" name="partnerstack_token" value="')
        token = field.rpartition('value="')[2].partition('"')[0]
        sent = RequestFactory().post("/sign-up/", {"partnerstack_token": token})
        assert attribution.visit_of(sent).clicks[0].click_id == "SDe1fEo2ok35ne"

    def test_are_empty_for_a_visitor_without_a_click(self) -> None:
        assert render("partnerstack_hidden_fields", of_visitor()) == ""

    def test_need_the_request(self) -> None:
        with pytest.raises(ImproperlyConfigured, match="render the page with render"):
            render("partnerstack_hidden_fields", None)


def refuse(request: HttpRequest) -> bool:
    return False


class TestSnippet:
    @pytest.fixture(autouse=True)
    def snippet_on(self, settings: Any) -> None:
        settings.PARTNERSTACK_SNIPPET = True
        settings.PARTNERSTACK_PUBLIC_KEY = "pk_1"
        settings.PARTNERSTACK_SECRET_KEY = "sk_1"

    def test_loads_our_script_with_the_public_key(self) -> None:
        script = '<script src="/static/partnerstack/snippet.js" data-key="pk_1" async></script>'
        assert render("partnerstack_snippet", of_visitor()) == script

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("SNIPPET", False),
            ("PUBLIC_KEY", ""),
            ("ATTRIBUTION_CONSENT", f"{__name__}.refuse"),
        ],
    )
    def test_is_empty_if_it_is_off_or_not_allowed_or_without_a_key(
        self, settings: Any, name: str, value: object
    ) -> None:
        setattr(settings, f"PARTNERSTACK_{name}", value)
        assert render("partnerstack_snippet", of_visitor()) == ""

    def test_is_off_by_default(self, settings: Any) -> None:
        del settings.PARTNERSTACK_SNIPPET
        assert render("partnerstack_snippet", of_visitor()) == ""

    def test_a_key_cannot_break_out_of_its_attribute(self, settings: Any) -> None:
        settings.PARTNERSTACK_PUBLIC_KEY = '"><script>'
        assert "<script>" not in render("partnerstack_snippet", of_visitor())

    @pytest.mark.skipif(not find_spec("django.middleware.csp"), reason="Django has its own policy since 6.0")
    def test_has_the_nonce_of_djangos_own_policy(self, settings: Any) -> None:
        from django.middleware.csp import ContentSecurityPolicyMiddleware

        settings.SECURE_CSP = {"script-src": ["'self'", "<CSP_NONCE_SENTINEL>"]}
        self.check_nonce(ContentSecurityPolicyMiddleware)

    @pytest.mark.skipif(not find_spec("csp"), reason="django-csp is not installed")
    def test_has_the_nonce_of_django_csp(self, settings: Any) -> None:
        from csp.constants import NONCE
        from csp.middleware import CSPMiddleware

        settings.CONTENT_SECURITY_POLICY = {"DIRECTIVES": {"script-src": ["'self'", NONCE]}}
        self.check_nonce(CSPMiddleware)

    def check_nonce(self, middleware: Any) -> None:
        """The page and its header have the same nonce."""

        def page(request: HttpRequest) -> HttpResponse:
            return HttpResponse(render("partnerstack_snippet", request))

        response = middleware(page)(of_visitor())
        nonce = response.content.decode().rpartition('nonce="')[2].partition('"')[0]
        assert len(nonce) > 10
        assert f"'nonce-{nonce}'" in response["Content-Security-Policy"]
