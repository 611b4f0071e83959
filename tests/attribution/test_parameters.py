"""The parameters of a partner's link, among anything else in an address."""

from __future__ import annotations

import base64
from datetime import datetime, timezone
from typing import Any
from urllib.parse import urlencode

import pytest
from django.http import QueryDict
from hypothesis import given
from hypothesis import strategies as st

from django_partnerstack.attribution import Click, encode
from django_partnerstack.attribution.parameters import decode, read

from .clicks import CLICK
from .lengths import a_run_of_keys, a_run_of_visitors

NOW = datetime(2026, 11, 24, tzinfo=timezone.utc)
NAMES = ("ps_xid", "gsxid", "ps_partner_key", "gspk", "pscd")

keys = st.text(min_size=1, max_size=255).filter(str.isprintable)


def of(query: str, path: str = "/pricing/") -> Click | None:
    return read(QueryDict(query), at=NOW, path=path)


def fields(query: str) -> dict[str, Any]:
    found = of(query)
    if found is None:
        return {}
    return {name: value for name, value in vars(found).items() if value and name != "at_is_known"}


def test_a_link_contains_click_partner_and_host() -> None:
    found = of(f"pscd=get.site.example&ps_partner_key=dHJveWNvb3BlcjEzNjQ&ps_xid={CLICK}")
    assert found == Click(
        click_id=CLICK, partner_key="troycooper1364", link_host="get.site.example", at=NOW, path="/pricing/"
    )


@pytest.mark.parametrize(
    ("query", "click_id"),
    [
        ("ps_xid=new&gsxid=old", "new"),
        ("gsxid=old&ps_xid=new", "new"),
        ("gsxid=old", "old"),
        ("ps_xid=&gsxid=old", "old"),
        ("ps_xid=no%20id&gsxid=old", "old"),
        ("ps_xid=first&ps_xid=second", "second"),
        ("ps_xid=first&ps_xid=&ps_xid=no%20id&gsxid=old", "first"),
        ("ps_xid=aBc", "aBc"),
        ("PS_XID=upper&gsxid=old", "old"),
    ],
)
def test_the_newer_name_of_a_click_comes_before_the_older(query: str, click_id: str) -> None:
    assert fields(query)["click_id"] == click_id


@pytest.mark.parametrize(
    ("query", "partner_key"),
    [
        (f"ps_partner_key={encode('new')}&gspk={encode('old')}", "new"),
        (f"gspk={encode('old')}", "old"),
        (f"ps_partner_key=&gspk={encode('old')}", "old"),
        (f"gspk={encode('first')}&gspk={encode('second')}", "second"),
        (f"gspk={encode('first')}&gspk=Nzg0ZGsdsZWYyMWRi&gspk=", "first"),
        (f"ps_partner_key=Nzg0ZGsdsZWYyMWRi&gspk={encode('old')}", "old"),
    ],
)
def test_the_newer_name_of_a_partner_comes_before_the_older(query: str, partner_key: str) -> None:
    found = fields(query)
    assert (found["partner_key"], found.get("unread_key")) == (partner_key, None)


@pytest.mark.parametrize(
    "encoded",
    ["Nzg0ZGsdsZWYyMWRi", "troycooper1364x", "YR", "gA", "AAEC"],
    ids=["official example", "not encoded", "bits left over", "no UTF-8", "control characters"],
)
def test_a_key_that_cannot_be_decoded_is_recorded_as_it_is(encoded: str) -> None:
    assert decode(encoded) == ""
    assert fields(f"ps_xid={CLICK}&ps_partner_key={encoded}")["unread_key"] == encoded
    assert fields(f"gspk={encoded}")["unread_key"] == encoded


@pytest.mark.parametrize(
    "query",
    [
        "",
        "ps_xid=",
        "ps_xid=a%20b",
        "ps_xid=%3Cscript%3E",
        "ps_xid=a%0D%0ASet-Cookie:x",
        "ps_xid=" + "a" * 65,
        "ps_xid=%C3%A9",
        "ps_xid=%EF%BC%91",
        "ps_partner_key=%00",
        "ps_partner_key=%0D%0AX:1",
        "ps_partner_key=%3Cscript%3E",
        "gspk=john.doe",
        "gspk=" + "A" * 1361,
        "pscd=get.site.example",
        "utm_source=partnerstack",
        "%FF=%FE&&;=&=;",
    ],
)
def test_an_address_that_is_not_a_partners_link_contains_no_click(query: str) -> None:
    assert of(query) is None


@pytest.mark.parametrize("host", ["a b", "<b>", "a/b", "a" * 241, "a\r\nb", "a:port"])
def test_an_invalid_host_is_omitted(host: str) -> None:
    found = of(urlencode({"ps_xid": CLICK, "pscd": host}), path="/")
    assert found == Click(click_id=CLICK, at=NOW, path="/")


@pytest.mark.parametrize(
    ("path", "read_path"), [("/a" * 200, ("/a" * 200)[:255]), ("/\0", ""), ("/ы/", "/ы/")]
)
def test_the_landing_page_is_cut_and_must_be_printable(path: str, read_path: str) -> None:
    found = of(f"ps_xid={CLICK}", path)
    assert found is not None
    assert found.path == read_path


@a_run_of_keys
@given(keys, st.booleans(), st.booleans(), st.booleans())
def test_every_printable_key_is_decoded(key: str, padded: bool, for_urls: bool, plus_as_space: bool) -> None:
    encoded = encode(key)
    assert "=" not in encoded
    if padded:
        encoded += "=" * (-len(encoded) % 4)
    if for_urls:
        encoded = encoded.translate(str.maketrans("+/", "-_"))
    if plus_as_space:
        encoded = encoded.replace("+", " ")
    assert decode(encoded) == key


@pytest.mark.parametrize("length", [1, 2, 3])
def test_no_character_at_the_end_of_an_encoded_key_is_lost(length: int) -> None:
    for last in map(chr, range(ord("!"), 0x17F)):
        if last.isprintable():
            key = "k" * (length - 1) + last
            assert decode(encode(key)) == decode(f"{encode(key)}==") == key


@a_run_of_keys
@given(keys)
def test_a_key_is_encoded_as_in_links(key: str) -> None:
    assert encode(key) == base64.b64encode(key.encode()).decode().rstrip("=")
    assert fields(f"gspk={encode(key).replace('+', '%2B')}")["partner_key"] == key
    assert fields(f"gspk={encode(key)}=")["partner_key"] == key


@a_run_of_keys
@given(st.text())
def test_a_decoded_key_encodes_to_the_same_text_again(text: str) -> None:
    if key := decode(text):
        assert encode(key) == text.rstrip("=").translate(str.maketrans("-_ ", "+/+"))


@a_run_of_visitors
@given(
    st.one_of(
        st.binary().map(lambda raw: raw.decode("latin-1")),
        st.text(),
        st.lists(st.tuples(st.sampled_from(NAMES), st.text())).map(
            lambda pairs: "&".join(f"{name}={value}" for name, value in pairs)
        ),
    )
)
def test_nothing_in_an_address_is_an_error_and_only_harmless_text_is_read(query: str) -> None:
    for value in fields(query).values():
        assert isinstance(value, datetime) or (0 < len(value) <= 255 and value.isprintable())
