"""The table of findings, which the README prints."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from django_partnerstack.insight.findings import FINDINGS, Severity, finding
from django_partnerstack.sandbox import TEST_KEYS

README = (Path(__file__).parent.parent.parent / "README.rst").read_text()

#: Every parameter of the table.
PARAMETERS: dict[str, Any] = dict.fromkeys(
    re.findall(r"{(\w+)}", "".join(str(kind.sentence) + str(kind.advice) for kind in FINDINGS.values())), "?"
)


class Several(int):
    """A number that is shown as its parameter."""

    def __format__(self, spec: str) -> str:
        return "{number}"


def table() -> dict[str, tuple[str, str]]:
    """The severity and the texts of each code, as the README prints them, with parameters in braces."""
    return {
        code: (kind.severity.word, f"{text(kind.sentence)} *{text(kind.advice)}*")
        for code, kind in FINDINGS.items()
    }


def text(text: Any) -> str:
    """A text that depends on a number is empty without one."""
    names = {name: f"{{{name}}}" for name in PARAMETERS}
    return str(text) or str(text.format(**{**names, "number": Several(2)}))


def test_the_readme_prints_the_table() -> None:
    _, _, section = README.partition("\nFindings\n--------\n")
    section = re.split(r"\n.+\n---+\n", section)[0]
    printed = re.findall(r"^``([\w-]+)`` \((\w+)\)\n((?:    .+\n)+)", section, re.MULTILINE)
    assert {code: (word, " ".join(lines.split())) for code, word, lines in printed} == table()


@pytest.mark.parametrize("code", FINDINGS)
def test_each_finding_is_a_sentence_and_says_what_to_do(code: str) -> None:
    found = finding(code, **{**PARAMETERS, "number": 1, "mode": "test"})
    assert found.severity > Severity.OK
    assert re.fullmatch(r"[A-Z0-9].+[.?:]", found.sentence), found.sentence
    assert found.advice
    assert "{" not in found.sentence + found.advice
    if FINDINGS[code].page:
        assert found.link is not None
        assert found.link.url().startswith("/admin/partnerstack/")


def test_a_finding_speaks_of_one_and_of_several() -> None:
    assert finding("messages-failed", number=1).sentence == "1 message failed."
    assert finding("messages-failed", number=2).sentence == "2 messages failed."


def test_a_finding_never_contains_a_key(settings: Any) -> None:
    settings.PARTNERSTACK_PUBLIC_KEY, settings.PARTNERSTACK_SECRET_KEY = TEST_KEYS
    found = finding("delivery-paused", until="12:00", reason=f"It refused {TEST_KEYS[1]}.")
    assert found.sentence == "Delivery is paused until 12:00: It refused ***."


def test_a_link_to_a_page_that_an_admin_site_does_not_have_is_empty() -> None:
    link = finding("messages-failed", number=1).link
    assert link is not None
    assert link.url("another") == ""
    assert link.permission == "partnerstack.view_outboxmessage"
