from __future__ import annotations

import pytest

from .run import KEYS, ids, run

ATTRIBUTION = "django_partnerstack.middleware.AttributionMiddleware"
CACHE = "django.middleware.cache.FetchFromCacheMiddleware"


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("ATTRIBUTION_CONSENT", "tests.nowhere.may_keep", "E011"),
        ("ATTRIBUTION_CONSENT", "tests.settings.DEBUG", "E011"),
        ("ATTRIBUTION_CONSENT", "nodots", "E011"),
        ("ATTRIBUTION_CONSENT", print, "E011"),
        ("ATTRIBUTION_IGNORED_PARTNERS", "gstest", "E012"),
        ("ATTRIBUTION_IGNORED_PARTNERS", [7], "E012"),
        ("ATTRIBUTION_IGNORED_PARTNERS", 7, "E012"),
        ("ATTRIBUTION_COOKIE", "", "E013"),
        ("ATTRIBUTION_COOKIE", "a b", "E013"),
        ("ATTRIBUTION_COOKIE", None, "E013"),
        ("PRIVACY", "half", "E014"),
        ("PRIVACY", None, "E014"),
        ("ATTRIBUTION_DAYS", 0, "E015"),
        ("ATTRIBUTION_DAYS", "90", "E015"),
        ("ATTRIBUTION_SAMESITE", "Strict", "E031"),
        ("ATTRIBUTION_SAMESITE", "lax", "E031"),
        ("ATTRIBUTION_SAMESITE", None, "E031"),
        ("TRUSTED_PROXY_COUNT", -1, "E032"),
        ("TRUSTED_PROXY_COUNT", "1", "E032"),
        ("TRUSTED_PROXY_COUNT", None, "E032"),
        ("TRUSTED_PROXY_COUNT", True, "E032"),
        ("TRUSTED_PROXY_COUNT", 1.5, "E032"),
    ],
)
def test_a_value_that_attribution_cannot_use_is_an_error(name: str, value: object, expected: str) -> None:
    assert ids(**KEYS, **{f"PARTNERSTACK_{name}": value}) == [expected]


def test_values_that_attribution_can_use_are_fine() -> None:
    usable = {
        "PARTNERSTACK_ATTRIBUTION_CONSENT": "builtins.bool",
        "PARTNERSTACK_ATTRIBUTION_IGNORED_PARTNERS": [],
        "PARTNERSTACK_ATTRIBUTION_COOKIE": "__Secure-partner",
        "PARTNERSTACK_PRIVACY": "none",
        "PARTNERSTACK_ATTRIBUTION_DAYS": 30.5,
        "PARTNERSTACK_ATTRIBUTION_SAMESITE": "None",
        "PARTNERSTACK_TRUSTED_PROXY_COUNT": 2,
    }
    assert ids(**KEYS, **usable) == []


@pytest.mark.parametrize("name", ["PARTNERSTACK_TRACKING_TOKEN", "PARTNERSTACK_ATTRIBUTION_COOKIE"])
def test_attribution_without_its_middleware_is_a_warning(name: str) -> None:
    [warning] = run(**KEYS, **{name: "x"}, MIDDLEWARE=[])
    assert warning.id == "partnerstack.W005"
    assert warning.msg.startswith(name)
    assert ids(**KEYS, **{name: "x"}, MIDDLEWARE=[ATTRIBUTION]) == []


def test_a_site_that_only_mirrors_needs_no_middleware() -> None:
    assert ids(**KEYS, MIDDLEWARE=[]) == []


@pytest.mark.parametrize(
    "other",
    [
        CACHE,
        "django.middleware.cache.CacheMiddleware",
        "django.contrib.flatpages.middleware.FlatpageFallbackMiddleware",
        "django.contrib.auth.middleware.PersistentRemoteUserMiddleware",
    ],
)
def test_middleware_that_hides_clicks_must_be_below_that_of_this_app(other: str) -> None:
    assert ids(**KEYS, MIDDLEWARE=[other, ATTRIBUTION]) == ["W006"]
    assert ids(**KEYS, MIDDLEWARE=[ATTRIBUTION, other]) == []


def test_other_middleware_may_be_above_that_of_this_app() -> None:
    above = [
        "django.middleware.cache.UpdateCacheMiddleware",
        "django.middleware.locale.LocaleMiddleware",
        "django.middleware.common.CommonMiddleware",
        "django.contrib.auth.middleware.LoginRequiredMiddleware",
        "tests.no.such.Middleware",
    ]
    assert ids(**KEYS, MIDDLEWARE=[*above, ATTRIBUTION, CACHE]) == []


@pytest.mark.parametrize(
    ("domain", "hosts", "expected"),
    [
        (".example.com", ["www.example.com", "app.example.com"], []),
        ("example.com", [".example.com"], []),
        (".Example.com", ["WWW.example.com"], []),
        (".example.com", ["*"], []),
        (".example.com", [], []),
        (".example.org", ["www.example.com"], ["W007"]),
        ("ample.com", ["example.com"], ["W007"]),
        ("www.example.com", ["example.com"], ["W007"]),
        ("https://example.com", ["example.com"], ["W007"]),
    ],
)
def test_the_domain_of_the_cookie_is_a_domain_of_the_site(
    domain: str, hosts: list[str], expected: list[str]
) -> None:
    assert ids(**KEYS, PARTNERSTACK_ATTRIBUTION_DOMAIN=domain, ALLOWED_HOSTS=hosts) == expected


def test_the_snippet_on_a_site_that_reports_customers_itself_is_a_warning() -> None:
    [warning] = run(**KEYS, PARTNERSTACK_SNIPPET=True)
    assert warning.id == "partnerstack.W008"
    assert "no page may call createSignup" in warning.hint
