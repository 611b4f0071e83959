from __future__ import annotations

from collections.abc import Callable
from typing import Any

Open = Callable[..., list[dict[str, Any]]]


def test_partnerstackjs_is_loaded_and_initialised_with_the_key(open_pages: Open) -> None:
    [page] = open_pages("snippet.js", {"dataset": {"key": "pk_1"}})
    [script] = page["loaded"]
    assert script == {"tag": "script", "src": "https://js.partnerstack.com/v1/", "async": True}
    assert page["calls"] == [["_initialize", "pk_1"]]


def test_the_pages_own_function_is_called_afterwards(open_pages: Open) -> None:
    [page] = open_pages("snippet.js", {"dataset": {"key": "pk_1"}, "init": True})
    assert page["calls"] == [["_initialize", "pk_1"], ["growsumoInit"]]


def test_the_nonce_is_passed_on(open_pages: Open) -> None:
    [page] = open_pages("snippet.js", {"dataset": {"key": "pk_1"}, "nonce": "abc"})
    assert page["loaded"][0]["nonce"] == "abc"
