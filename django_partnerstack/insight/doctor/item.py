"""What the doctor examined, and what it found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..findings import Finding, Severity


@dataclass(frozen=True)
class Item:
    """
    One thing that was examined.

    ``text``: what is the case, in a few words; if it was not ``examined``, why not. ``findings``: what is
    wrong about it. ``seconds``: how long it took, if that is worth knowing.
    """

    name: str
    text: str = ""
    findings: tuple[Finding, ...] = ()
    examined: bool = True
    seconds: float | None = None

    @property
    def severity(self) -> Severity:
        """That of the most urgent finding; ``Severity.OK`` without findings."""
        return max((finding.severity for finding in self.findings), default=Severity.OK)

    @property
    def state(self) -> str:
        """As in JSON: ok, info, warn, error, or skipped if it was not examined."""
        return self.severity.word if self.findings or self.examined else "skipped"

    def as_dict(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "state": self.state,
            "text": self.text,
            "seconds": self.seconds,
            "findings": [finding.as_dict() for finding in self.findings],
        }


def found(*findings: Finding | None) -> tuple[Finding, ...]:
    """Those of the findings that there are."""
    return tuple(finding for finding in findings if finding is not None)
