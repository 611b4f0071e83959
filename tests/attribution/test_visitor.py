"""Where a visitor's address is read from."""

from __future__ import annotations

import pytest
from django.test import override_settings
from hypothesis import given
from hypothesis import strategies as st

from django_partnerstack.attribution.visitor import address_of

from .clicks import request
from .lengths import a_run_of_visitors

VISITOR, PROXY = "203.0.113.7", "198.51.100.1"


def address(forwarded: str | None = None, *, proxies: object = 0, caller: str = PROXY) -> str:
    found = request(REMOTE_ADDR=caller)
    if forwarded is not None:
        found.META["HTTP_X_FORWARDED_FOR"] = forwarded
    with override_settings(PARTNERSTACK_TRUSTED_PROXY_COUNT=proxies):
        return address_of(found)


def test_without_proxies_the_header_is_not_believed() -> None:
    assert address(VISITOR) == PROXY
    assert address(VISITOR, caller="127.0.0.1") == ""


@pytest.mark.parametrize(
    ("forwarded", "proxies", "found"),
    [
        (VISITOR, 1, VISITOR),
        (f"6.6.6.6, {VISITOR}", 1, VISITOR),
        (f"6.6.6.6,{VISITOR} , {PROXY}", 2, VISITOR),
        (f"{VISITOR}, 10.0.0.1", 1, ""),
        (VISITOR, 2, ""),
        ("", 1, ""),
        (None, 1, ""),
        (VISITOR, 1.0, VISITOR),
        (VISITOR, 0.5, ""),
        (VISITOR, -1, ""),
        (VISITOR, "1", ""),
        (VISITOR, None, ""),
    ],
)
def test_behind_proxies_it_is_what_the_first_of_them_added(
    forwarded: str | None, proxies: object, found: str
) -> None:
    assert address(forwarded, proxies=proxies) == found


@pytest.mark.parametrize(
    ("caller", "found"),
    [
        ("203.0.113.7:54321", VISITOR),
        ("[2001:db8::1]:443", "2001:db8::1"),
        ("[2001:db8::1]", "2001:db8::1"),
        ("2001:DB8::1", "2001:db8::1"),
        ("::ffff:203.0.113.7", VISITOR),
        *(
            (internal, "")
            for internal in (
                "", "unknown", "unix:", "_hidden", "localhost", "203.0.113.256", "127.0.0.1", "10.1.2.3",
                "0.0.0.0", "172.20.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "::1", "::",
                "fe80::1", "fe80::1%eth0", "fd00::1", "::ffff:10.0.0.1",
            )
        ),
    ],
)  # fmt: skip
def test_an_address_has_one_form_and_that_of_an_internal_network_is_not_a_visitors(
    caller: str, found: str
) -> None:
    assert address(caller=caller) == found
    assert address(caller, proxies=1) == found


@a_run_of_visitors
@given(st.text(), st.integers(0, 5))
def test_nothing_in_the_header_is_an_error(forwarded: str, proxies: int) -> None:
    assert isinstance(address(forwarded, proxies=proxies), str)
