"""What ``manage.py check`` says about the settings of this app."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django import VERSION
from django.core import checks
from django.core.management import call_command
from django.core.management.base import SystemCheckError
from django.db import connection, models
from django.test import override_settings
from django.utils import timezone

import django_partnerstack.checks
from django_partnerstack.checks.urls import is_loopback
from django_partnerstack.models import SyncState
from django_partnerstack.sandbox import (
    PRODUCTION_KEYS,
    PRODUCTION_TRACKING_TOKEN,
    TEST_KEYS,
    TEST_TRACKING_TOKEN,
)

GOOD: dict[str, Any] = {"PARTNERSTACK_PUBLIC_KEY": "pk_1", "PARTNERSTACK_SECRET_KEY": "sk_1"}
LIVE = {**GOOD, "PARTNERSTACK_MODE": "production"}


def found(*, deploy: bool = False, databases: Sequence[str] = (), **given: Any) -> list[checks.CheckMessage]:
    with override_settings(**given):
        return checks.run_checks(tags=["partnerstack"], include_deployment_checks=deploy, databases=databases)


def ids(**given: Any) -> list[str]:
    return [message.id.removeprefix("partnerstack.") for message in found(**given)]


def test_a_key_pair_is_all_that_is_needed() -> None:
    assert ids(**GOOD) == []


def test_a_site_without_keys_is_warned() -> None:
    assert ids() == ["W001"]


@pytest.mark.parametrize("nothing", ["", None])
def test_keys_that_the_environment_does_not_have_count_as_absent(nothing: str | None) -> None:
    assert ids(PARTNERSTACK_PUBLIC_KEY=nothing, PARTNERSTACK_SECRET_KEY=nothing) == ["W001"]


@pytest.mark.django_db
def test_a_site_without_keys_migrates() -> None:
    call_command("migrate", verbosity=0)


@pytest.mark.parametrize(
    ("only", "absent"),
    [("PARTNERSTACK_PUBLIC_KEY", "SECRET_KEY"), ("PARTNERSTACK_SECRET_KEY", "PUBLIC_KEY")],
)
def test_half_a_pair_is_an_error_that_names_the_other_half(only: str, absent: str) -> None:
    [error] = found(**{only: GOOD[only]})
    assert error.id == "partnerstack.E001"
    assert error.msg.endswith(f"without PARTNERSTACK_{absent}.")


@pytest.mark.parametrize(
    "given",
    [
        {"PARTNERSTACK_PUBLIC_KEY": "sk_1", "PARTNERSTACK_SECRET_KEY": "pk_1"},
        {"PARTNERSTACK_PUBLIC_KEY": "sk_1", "PARTNERSTACK_SECRET_KEY": "sk_1"},
        {"PARTNERSTACK_PUBLIC_KEY": "pk_1", "PARTNERSTACK_SECRET_KEY": "pk_1"},
    ],
)
def test_swapped_keys_are_an_error(given: dict[str, str]) -> None:
    assert ids(**given) == ["E002"]


def test_keys_with_other_beginnings_are_left_to_partnerstack() -> None:
    assert ids(PARTNERSTACK_PUBLIC_KEY="one", PARTNERSTACK_SECRET_KEY="two") == []


@pytest.mark.parametrize("name", ["PUBLIC_KEY", "SECRET_KEY", "TRACKING_TOKEN"])
@pytest.mark.parametrize("key", [" pk_1", "sk_1\n", "\tx"])
def test_blanks_around_a_key_are_an_error(name: str, key: str) -> None:
    assert ids(**{**GOOD, f"PARTNERSTACK_{name}": key}) == ["E003"]


@pytest.mark.parametrize("name", ["PUBLIC_KEY", "SECRET_KEY", "TRACKING_TOKEN"])
@pytest.mark.parametrize("key", [b"sk_1", 7, ["sk_1"], True])
def test_a_key_that_is_not_text_is_an_error(name: str, key: object) -> None:
    assert ids(**{**GOOD, f"PARTNERSTACK_{name}": key}) == ["E004"]


@pytest.mark.parametrize("mode", ["live", "", "Test", None, True, ["test"]])
def test_a_mode_is_test_or_production(mode: object) -> None:
    assert ids(**GOOD, PARTNERSTACK_MODE=mode) == ["E005"]


@pytest.mark.parametrize("name", ["PARTNERSTACK_API_URL", "PARTNERSTACK_CONVERSION_URL"])
@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("api.partnerstack.com/api/v2", ["E006"]),
        ("ftp://api.partnerstack.com", ["E006"]),
        ("https://", ["E006"]),
        ("https://api.partnerstack.com:port", ["E006"]),
        ("https://api.partnerstack.com/api/v2\n", ["E006"]),
        ("https://[api.partnerstack.com/", ["E006"]),
        ("", ["E006"]),
        (None, ["E006"]),
        (b"https://api.partnerstack.com", ["E006"]),
        ("https://user:password@api.partnerstack.com/api/v2", ["E006"]),
        ("https://api.partnerstack.com/api/v2?page=1", ["E006"]),
        ("http://api.partnerstack.com/api/v2", ["E007"]),
        ("http://partnerstack.localhost/", ["E007"]),
        ("http://localhost.example.com/", ["E007"]),
        ("http://10.0.0.1/", ["E007"]),
        ("http://127.0.0.1:8765/api/v2", []),
        ("http://localhost:8765", []),
        ("http://[::1]:8765/api/v2", []),
        ("HTTPS://API.PARTNERSTACK.COM/v1", []),
    ],
)
def test_a_url_is_whole_and_https_unless_it_stays_on_this_machine(
    name: str, url: object, expected: list[str]
) -> None:
    assert ids(**GOOD, **{name: url}) == expected


def test_a_site_needs_time_zones() -> None:
    assert ids(**GOOD, USE_TZ=False) == ["E023"]


def test_what_is_no_url_is_not_on_this_machine() -> None:
    assert not is_loopback("localhost")


@pytest.mark.parametrize("name", ["PARTNERSTACK_CONNECT_TIMEOUT", "PARTNERSTACK_READ_TIMEOUT"])
@pytest.mark.parametrize("seconds", [0, -1, "5", None, True, float("inf"), float("nan")])
def test_a_timeout_is_a_number_above_zero(name: str, seconds: object) -> None:
    assert ids(**GOOD, **{name: seconds}) == ["E008"]


@pytest.mark.parametrize("seconds", [1, 0.5])
def test_a_timeout_may_be_a_fraction(seconds: float) -> None:
    assert ids(**GOOD, PARTNERSTACK_READ_TIMEOUT=seconds) == []


@pytest.mark.parametrize(
    ("typo", "hint"),
    [
        ("PARTNERSTACK_PUBLC_KEY", "Did you mean PARTNERSTACK_PUBLIC_KEY?"),
        ("PARTNERSTACK_URL", "Did you mean PARTNERSTACK_API_URL?"),
        ("PARTNERSTACK_XYZZY_XYZZY_XYZZY", "Remove it; nothing reads it."),
    ],
)
def test_an_unknown_setting_is_named_with_the_nearest_one(typo: str, hint: str) -> None:
    [warning] = found(**GOOD, **{typo: "x"})
    assert warning.id == "partnerstack.W002"
    assert warning.msg.startswith(typo)
    assert warning.hint == hint


def test_test_mode_on_a_launched_site_is_told_to_change_the_keys() -> None:
    [warning] = found(deploy=True, **GOOD, DEBUG=False)
    assert warning.id == "partnerstack.W003"
    assert "Change your keys to production before launching" in warning.hint


def test_test_mode_is_fine_while_a_site_is_made() -> None:
    assert ids(deploy=True, **GOOD, DEBUG=True) == []
    assert ids(**GOOD, DEBUG=False) == []


def test_production_mode_is_fine_on_a_launched_site() -> None:
    assert ids(deploy=True, **LIVE, DEBUG=False) == []


@pytest.mark.parametrize("name", ["PARTNERSTACK_API_URL", "PARTNERSTACK_CONVERSION_URL"])
def test_a_launched_site_must_not_talk_to_its_own_machine(name: str) -> None:
    local = {**LIVE, name: "http://localhost:8765/api/v2"}
    assert ids(deploy=True, **local) == ["E010"]
    assert ids(**local) == []


@pytest.mark.parametrize("mode", ["test", "production"])
@pytest.mark.parametrize("pair", [TEST_KEYS, PRODUCTION_KEYS])
def test_a_launched_site_cannot_use_the_keys_of_the_sandbox(mode: str, pair: tuple[str, str]) -> None:
    keys = dict(zip(GOOD, pair, strict=True))
    assert "E009" in ids(deploy=True, **keys, PARTNERSTACK_MODE=mode)
    assert ids(**keys, PARTNERSTACK_MODE=mode) == []


@pytest.mark.django_db
class TestModeSeen:
    def seen(self, mode: str, kind: str) -> None:
        state, _ = SyncState.objects.get_or_create(mode=mode, resource="customers")
        setattr(state, f"{kind}_seen_at", timezone.now())
        state.save()

    @pytest.mark.parametrize(("declared", "kind"), [("production", "test"), ("test", "production")])
    def test_keys_of_the_other_mode_are_told_by_what_they_brought(self, declared: str, kind: str) -> None:
        self.seen(declared, kind)
        [warning] = found(databases=["default"], **{**GOOD, "PARTNERSTACK_MODE": declared})
        assert warning.id == "partnerstack.W004"
        assert f"says {declared}, but all data that came back is {kind} data" in warning.msg

    @pytest.mark.parametrize("mode", ["production", "test"])
    def test_data_of_both_kinds_proves_nothing(self, mode: str) -> None:
        self.seen(mode, "test")
        self.seen(mode, "production")
        assert ids(databases=["default"], **{**GOOD, "PARTNERSTACK_MODE": mode}) == []

    def test_rows_of_another_mode_say_nothing_about_this_one(self) -> None:
        self.seen("test", "test")
        assert ids(databases=["default"], **LIVE) == []

    def test_nothing_seen_is_nothing_to_say(self) -> None:
        assert ids(databases=["default"], **LIVE) == []

    @pytest.mark.parametrize("databases", [[], ["another"]])
    def test_the_database_is_left_alone_unless_asked(
        self, databases: list[str], django_assert_num_queries: Any
    ) -> None:
        with django_assert_num_queries(0):
            assert ids(databases=databases, **LIVE) == []

    def test_a_wrong_mode_in_the_settings_is_an_error_and_no_crash(self) -> None:
        self.seen("test", "production")
        assert ids(databases=["default"], **GOOD, PARTNERSTACK_MODE=["test"]) == ["E005"]


@pytest.mark.django_db(transaction=True)
def test_a_database_that_is_not_migrated_is_no_error() -> None:
    with connection.schema_editor() as editor:
        editor.alter_db_table(SyncState, "partnerstack_syncstate", "partnerstack_elsewhere")
    try:
        assert ids(databases=["default"], **LIVE) == []
    finally:
        with connection.schema_editor() as editor:
            editor.alter_db_table(SyncState, "partnerstack_elsewhere", "partnerstack_syncstate")


CANARY = "sk_canary_4f9c"


@pytest.mark.parametrize(
    "given",
    [
        {"PARTNERSTACK_PUBLIC_KEY": CANARY},
        {"PARTNERSTACK_PUBLIC_KEY": CANARY, "PARTNERSTACK_SECRET_KEY": CANARY},
        {"PARTNERSTACK_PUBLIC_KEY": "pk_1", "PARTNERSTACK_SECRET_KEY": f"{CANARY}\n"},
        {"PARTNERSTACK_PUBLIC_KEY": "pk_1", "PARTNERSTACK_SECRET_KEY": CANARY.encode()},
        {"PARTNERSTACK_MODE": CANARY},
        {"PARTNERSTACK_API_URL": f"http://{CANARY}:{CANARY}@{CANARY}/{CANARY}"},
        {"PARTNERSTACK_CONVERSION_URL": CANARY},
        {"PARTNERSTACK_READ_TIMEOUT": CANARY},
        {"PARTNERSTACK_SECRT_KEY": CANARY},
    ],
)
def test_no_check_shows_what_a_setting_holds(given: dict[str, Any]) -> None:
    messages = found(deploy=True, **given)
    assert messages
    assert "canary" not in "".join(map(str, messages))


@pytest.mark.django_db
def test_manage_py_check_fails_on_an_error() -> None:
    with override_settings(PARTNERSTACK_MODE="live"), pytest.raises(SystemCheckError, match="E005"):
        call_command("check", "--tag=partnerstack", stderr=StringIO())


def sources() -> str:
    folder = Path(django_partnerstack.checks.__file__).parent
    return "".join(path.read_text() for path in folder.glob("*.py") if path.name != "__init__.py")


def test_every_id_is_used_once_and_documented() -> None:
    used = re.findall(r'id="(partnerstack\.[EW]\d{3})"', sources())
    documented = re.findall(r"^(partnerstack\.[EW]\d{3}) ", django_partnerstack.checks.__doc__ or "", re.M)
    assert sorted(used) == sorted(documented)
    assert len(set(used)) == len(used)


OURS = "django_partnerstack.middleware.AttributionMiddleware"
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
    ],
)
def test_a_setting_of_attribution_that_cannot_be_used_is_an_error(
    name: str, value: object, expected: str
) -> None:
    assert ids(**GOOD, **{f"PARTNERSTACK_{name}": value}) == [expected]


def test_settings_of_attribution_that_can_be_used_are_fine() -> None:
    assert (
        ids(
            **GOOD,
            PARTNERSTACK_ATTRIBUTION_CONSENT="builtins.bool",
            PARTNERSTACK_ATTRIBUTION_IGNORED_PARTNERS=[],
            PARTNERSTACK_ATTRIBUTION_COOKIE="__Secure-partner",
            PARTNERSTACK_PRIVACY="none",
            PARTNERSTACK_ATTRIBUTION_DAYS=30.5,
        )
        == []
    )


@pytest.mark.parametrize("name", ["PARTNERSTACK_TRACKING_TOKEN", "PARTNERSTACK_ATTRIBUTION_COOKIE"])
def test_attribution_without_the_middleware_is_warned_of(name: str) -> None:
    [warning] = found(**GOOD, **{name: "x"}, MIDDLEWARE=[])
    assert warning.id == "partnerstack.W005"
    assert warning.msg.startswith(name)
    assert ids(**GOOD, **{name: "x"}, MIDDLEWARE=[OURS]) == []


def test_a_site_that_only_mirrors_needs_no_middleware() -> None:
    assert ids(**GOOD, MIDDLEWARE=[]) == []


@pytest.mark.parametrize(
    "other",
    [
        CACHE,
        "django.middleware.cache.CacheMiddleware",
        "django.contrib.flatpages.middleware.FlatpageFallbackMiddleware",
        "django.contrib.auth.middleware.PersistentRemoteUserMiddleware",
    ],
)
def test_what_hides_clicks_must_stand_below_the_middleware(other: str) -> None:
    assert ids(**GOOD, MIDDLEWARE=[other, OURS]) == ["W006"]
    assert ids(**GOOD, MIDDLEWARE=[OURS, other]) == []


def test_what_does_not_matter_may_stand_above() -> None:
    above = [
        "django.middleware.cache.UpdateCacheMiddleware",
        "django.middleware.locale.LocaleMiddleware",
        "django.middleware.common.CommonMiddleware",
        "django.contrib.auth.middleware.LoginRequiredMiddleware",
        "tests.no.such.Middleware",
    ]
    assert ids(**GOOD, MIDDLEWARE=[*above, OURS, CACHE]) == []


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
def test_the_domain_of_the_cookie_is_one_of_the_site(
    domain: str, hosts: list[str], expected: list[str]
) -> None:
    assert ids(**GOOD, PARTNERSTACK_ATTRIBUTION_DOMAIN=domain, ALLOWED_HOSTS=hosts) == expected


def test_the_snippet_on_a_site_that_reports_customers_itself_is_warned_of() -> None:
    [warning] = found(**GOOD, PARTNERSTACK_SNIPPET=True)
    assert warning.id == "partnerstack.W008"
    assert "no page may call createSignup" in warning.hint


@pytest.mark.parametrize("token", [TEST_TRACKING_TOKEN, PRODUCTION_TRACKING_TOKEN])
def test_a_launched_site_cannot_use_a_tracking_token_of_the_sandbox(token: str) -> None:
    assert ids(deploy=True, **LIVE, PARTNERSTACK_TRACKING_TOKEN=token) == ["E009"]
    assert ids(**LIVE, PARTNERSTACK_TRACKING_TOKEN=token) == []


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("REQUESTS_PER_MINUTE", 0, "E016"),
        ("REQUESTS_PER_MINUTE", -1, "E016"),
        ("REQUESTS_PER_MINUTE", "60", "E016"),
        ("REQUESTS_PER_MINUTE", True, "E016"),
        ("REQUESTS_PER_MINUTE", float("nan"), "E016"),
        ("REQUESTS_PER_MINUTE", 4001, "W009"),
        ("PUSH_ENABLED", "False", "E017"),
        ("PUSH_ENABLED", None, "E017"),
        ("SNIPPET", 0, "E017"),
        ("STRICT", 1, "E017"),
        ("LOOKUP_GRACE", -1, "E018"),
        ("LOOKUP_GRACE", None, "E018"),
        ("RETENTION_DAYS", "90", "E018"),
        ("RETENTION_DAYS", float("inf"), "E018"),
        ("CUSTOMER_KEY", "tests.nowhere.key", "E019"),
        ("CUSTOMER_KEY", "email", "E019"),
        ("CUSTOMER_KEY", print, "E019"),
        ("DISPATCH", "workers", "E020"),
        ("DISPATCH", "tests.nowhere.wake", "E020"),
        ("DISPATCH", ["celery"], "E020"),
        ("DISPATCH", None, "E020"),
    ],
)
def test_a_setting_of_the_push_that_cannot_be_used_is_told_of(
    name: str, value: object, expected: str
) -> None:
    assert ids(**GOOD, **{f"PARTNERSTACK_{name}": value}) == [expected]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("REQUESTS_PER_MINUTE", 0.5),
        ("REQUESTS_PER_MINUTE", 4000),
        ("PUSH_ENABLED", False),
        ("STRICT", True),
        ("LOOKUP_GRACE", 0),
        ("RETENTION_DAYS", 0),
        ("CUSTOMER_KEY", "builtins.str"),
        ("DISPATCH", "immediate"),
        ("DISPATCH", "celery"),
        ("DISPATCH", "builtins.print"),
    ],
)
def test_settings_of_the_push_that_can_be_used_are_fine(name: str, value: object) -> None:
    assert ids(**GOOD, **{f"PARTNERSTACK_{name}": value}) == []


@pytest.mark.skipif(VERSION >= (6,), reason="this Django has tasks")
def test_tasks_need_a_django_that_has_them() -> None:
    [error] = found(**GOOD, PARTNERSTACK_DISPATCH="tasks")
    assert error.id == "partnerstack.E021"
    assert error.hint == 'PARTNERSTACK_DISPATCH = "tasks" needs Django 6.0.'


@pytest.mark.skipif(VERSION < (6,), reason="this Django has no tasks")
def test_tasks_are_fine_where_django_has_them() -> None:
    assert ids(**GOOD, PARTNERSTACK_DISPATCH="tasks") == []


def test_celery_must_be_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    # What is None there cannot be imported.
    monkeypatch.setitem(sys.modules, "celery", None)
    monkeypatch.delitem(sys.modules, "django_partnerstack.dispatch.celery", raising=False)
    [error] = found(**GOOD, PARTNERSTACK_DISPATCH="celery")
    assert error.id == "partnerstack.E021"
    assert "pip install" in error.hint


class Apart:
    """A router that writes the shop elsewhere."""

    def db_for_write(self, model: type[models.Model], **hints: Any) -> str | None:
        return "shop" if model._meta.app_label == "shop" else None


def test_a_router_that_parts_messages_from_what_they_report_is_an_error_for_each_model() -> None:
    errors = found(**GOOD, DATABASE_ROUTERS=[f"{__name__}.Apart"])
    assert [error.id for error in errors] == ["partnerstack.E022"] * 2
    assert [error.msg.split()[0] for error in errors] == ["shop.Account", "shop.Payment"]


def test_a_launched_site_that_tells_nothing_is_warned() -> None:
    silent = {**LIVE, "PARTNERSTACK_PUSH_ENABLED": False}
    assert ids(deploy=True, **silent, DEBUG=False) == ["W010"]
    assert ids(deploy=True, **silent, DEBUG=True) == []
    assert ids(**silent, DEBUG=False) == []
