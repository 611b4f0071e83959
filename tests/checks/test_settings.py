from __future__ import annotations

import pytest
from django.core.management import call_command

from django_partnerstack.checks.settings import is_loopback

from .run import KEYS, ids, run


@pytest.mark.parametrize("missing", [{}, dict.fromkeys(KEYS, ""), dict.fromkeys(KEYS)])
def test_a_site_without_keys_is_warned(missing: dict[str, str | None]) -> None:
    assert ids(**missing) == ["W001"]


@pytest.mark.django_db
def test_a_site_without_keys_migrates() -> None:
    call_command("migrate", verbosity=0)


@pytest.mark.parametrize(
    ("given", "missing"),
    [("PARTNERSTACK_PUBLIC_KEY", "SECRET_KEY"), ("PARTNERSTACK_SECRET_KEY", "PUBLIC_KEY")],
)
def test_half_a_pair_is_an_error_that_names_the_missing_half(given: str, missing: str) -> None:
    [error] = run(**{given: KEYS[given]})
    assert error.id == "partnerstack.E001"
    assert error.msg.endswith(f"without PARTNERSTACK_{missing}.")


@pytest.mark.parametrize(
    ("public", "secret", "expected"),
    [
        ("sk_1", "pk_1", ["E002"]),
        ("sk_1", "sk_1", ["E002"]),
        ("pk_1", "pk_1", ["E002"]),
        ("one", "two", []),
    ],
)
def test_swapped_keys_are_an_error_unless_their_prefix_is_unknown(
    public: str, secret: str, expected: list[str]
) -> None:
    assert ids(PARTNERSTACK_PUBLIC_KEY=public, PARTNERSTACK_SECRET_KEY=secret) == expected


@pytest.mark.parametrize("name", ["PUBLIC_KEY", "SECRET_KEY", "TRACKING_TOKEN"])
@pytest.mark.parametrize("key", [" pk_1", "sk_1\n", "\tx"])
def test_whitespace_around_a_key_is_an_error(name: str, key: str) -> None:
    assert ids(**{**KEYS, f"PARTNERSTACK_{name}": key}) == ["E003"]


@pytest.mark.parametrize("name", ["PUBLIC_KEY", "SECRET_KEY", "TRACKING_TOKEN"])
@pytest.mark.parametrize("key", [b"sk_1", 7, ["sk_1"], True])
def test_a_key_that_is_not_a_string_is_an_error(name: str, key: object) -> None:
    assert ids(**{**KEYS, f"PARTNERSTACK_{name}": key}) == ["E004"]


@pytest.mark.parametrize("mode", ["live", "", "Test", None, True, ["test"]])
def test_a_mode_is_test_or_production(mode: object) -> None:
    assert ids(**KEYS, PARTNERSTACK_MODE=mode) == ["E005"]


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
def test_a_url_is_complete_and_https_unless_it_points_to_this_machine(
    name: str, url: object, expected: list[str]
) -> None:
    assert ids(**KEYS, **{name: url}) == expected


def test_a_host_alone_is_not_a_url_of_this_machine() -> None:
    assert not is_loopback("localhost")


@pytest.mark.parametrize("name", ["PARTNERSTACK_CONNECT_TIMEOUT", "PARTNERSTACK_READ_TIMEOUT"])
@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        *((wrong, ["E008"]) for wrong in (0, -1, "5", None, True, float("inf"), float("nan"))),
        (1, []),
        (0.5, []),
    ],
)
def test_a_timeout_is_a_number_above_zero(name: str, seconds: object, expected: list[str]) -> None:
    assert ids(**KEYS, **{name: seconds}) == expected


def test_a_site_needs_time_zones() -> None:
    assert ids(**KEYS, USE_TZ=False) == ["E023"]


@pytest.mark.parametrize(
    ("typo", "hint"),
    [
        ("PARTNERSTACK_PUBLC_KEY", "Did you mean PARTNERSTACK_PUBLIC_KEY?"),
        ("PARTNERSTACK_URL", "Did you mean PARTNERSTACK_API_URL?"),
        ("PARTNERSTACK_QQQQQQQQQQQQQQQQQ", "Remove it; nothing reads it."),
    ],
)
def test_an_unknown_setting_is_named_with_the_nearest_known_setting(typo: str, hint: str) -> None:
    [warning] = run(**KEYS, **{typo: "x"})
    assert warning.id == "partnerstack.W002"
    assert warning.msg.startswith(typo)
    assert warning.hint == hint
