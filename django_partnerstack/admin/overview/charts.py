"""
Pictures as SVG without styles and scripts: bars of one or two series, with a table of the same numbers.

A picture has a width of 100 and a height of 100, and is stretched by the style sheet; its labels are HTML.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Bar:
    """A rectangle in percent of the picture. ``kind``: its class, which has the colour."""

    x: str
    y: str
    width: str
    height: str
    kind: str
    title: str
    url: str = ""


@dataclass(frozen=True)
class Series:
    """One number for each span. ``texts``: the numbers as they are shown; ``urls``: the lists behind them."""

    label: Any
    kind: str
    values: Sequence[int]
    texts: Sequence[str]
    urls: Sequence[str] = ()

    def url(self, number: int) -> str:
        return self.urls[number] if self.urls else ""


@dataclass(frozen=True)
class Chart:
    """``name``: for identifiers in the page. ``labels``: of the spans. ``top``: the text of the largest."""

    name: str
    title: Any
    labels: Sequence[str]
    series: Sequence[Series]
    top: str
    description: str
    url: str = ""

    @property
    def bars(self) -> list[Bar]:
        """The bars of all series, each upon that of the series before."""
        totals = [sum(values) for values in zip(*(each.values for each in self.series), strict=True)]
        largest, step = max([*totals, 1]), 100 / max(len(self.labels), 1)
        below = [0] * len(self.labels)
        bars = []
        for each in self.series:
            for number, value in enumerate(each.values):
                if value > 0:
                    height = 100 * value / largest
                    bars.append(
                        Bar(
                            x=f"{number * step + step * 0.1:.3f}",
                            y=f"{100 - 100 * below[number] / largest - height:.3f}",
                            width=f"{step * 0.8:.3f}",
                            height=f"{height:.3f}",
                            kind=each.kind,
                            title=f"{self.labels[number]}: {each.texts[number]} ({each.label})",
                            url=each.url(number),
                        )
                    )
                    below[number] += value
        return bars

    @property
    def rows(self) -> list[tuple[str, list[tuple[str, str]]]]:
        """The table: the label of each span, and the text and address of each number."""
        return [
            (label, [(each.texts[number], each.url(number)) for each in self.series])
            for number, label in enumerate(self.labels)
        ]

    @property
    def ends(self) -> tuple[str, str, str]:
        """The labels below the picture."""
        return self.labels[0], self.labels[len(self.labels) // 2], self.labels[-1]

    @property
    def is_empty(self) -> bool:
        return not any(value for each in self.series for value in each.values)


@dataclass(frozen=True)
class Step:
    """A step of a funnel. ``width``: of its bar in percent."""

    label: Any
    text: str
    share: str
    width: str
    url: str = ""


def steps(numbers: Sequence[tuple[Any, int, str]]) -> list[Step]:
    """A funnel of labels, numbers and addresses. Each has its share of the one before."""
    largest = max([1, *(number for _, number, _ in numbers)])
    found, before = [], 0
    for label, number, url in numbers:
        share = f"{100 * number / before:.0f} %" if before else ""
        found.append(Step(label, f"{number:,}", share, f"{100 * number / largest:.3f}", url))
        before = number
    return found
