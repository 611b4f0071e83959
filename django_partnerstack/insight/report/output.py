"""The report as lines of CSV, as JSON and as a table of text. Amounts are in major units, and exact."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from ...client.money import exponent
from .partners import Figures, Money, Partner, Report

TEXTS = ("partner_key", "partnership_key", "name", "email", "group")
COUNTS = ("clicks", "sign_ups", "paying_customers")


def major_units(amount: int, currency: str) -> str:
    """``4900, "USD"`` as ``49.00``."""
    decimals = exponent(currency)
    return f"{Decimal(amount).scaleb(-decimals):.{decimals}f}"


def csv_rows(report: Report) -> Iterator[list[Any]]:
    """The names of the columns, then a line for each partner. Each currency has columns of its own."""
    money, rewards = report.currencies, report.reward_columns
    yield [
        *TEXTS,
        *COUNTS,
        *(f"{name} {currency}" for name in ("revenue", "refunds") for currency in money),
        *(f"rewards {status} {currency}" for status, currency in rewards),
    ]
    for partner, figures in report.rows:
        yield [
            *_texts(partner).values(),
            *_counts(figures).values(),
            *(Decimal(major_units(figures.revenue.get(code, 0), code)) for code in money),
            *(Decimal(major_units(figures.refunds.get(code, 0), code)) for code in money),
            *(
                Decimal(major_units(figures.rewards.get(status, {}).get(code, 0), code))
                for status, code in rewards
            ),
        ]


def as_json(report: Report) -> dict[str, Any]:
    return {
        "mode": report.mode,
        "from": report.period.first and report.period.first.isoformat(),
        "to": report.period.last and report.period.last.isoformat(),
        "partners": [{**_texts(partner), **_figures(figures)} for partner, figures in report.rows],
        "total": _figures(report.total),
    }


def table(report: Report) -> str:
    """For a terminal."""
    lines: list[tuple[str, ...]] = [
        ("partner", "group", "clicks", "sign-ups", "paying", "revenue", "refunds", "rewards")
    ]
    for partner, figures in report.rows:
        lines.append((str(partner) or "(no partner)", partner.group, *_cells(figures)))
    lines.append(("total", "", *_cells(report.total)))
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join("  ".join(_aligned(line, widths)).rstrip() for line in lines)


def _aligned(line: tuple[str, ...], widths: list[int]) -> Iterator[str]:
    for number, (cell, width) in enumerate(zip(line, widths, strict=True)):
        yield cell.rjust(width) if 2 <= number <= 4 else cell.ljust(width)


def _cells(figures: Figures) -> tuple[str, ...]:
    rewards = (f"{status}: {in_words(money)}" for status, money in sorted(figures.rewards.items()))
    counts = (f"{number:,}" for number in (figures.clicks, figures.sign_ups, figures.paying))
    return (*counts, in_words(figures.revenue), in_words(figures.refunds), "; ".join(rewards))


def in_words(money: Money) -> str:
    """``10 JPY, 49.00 USD``; "-" for no money."""
    amounts = (f"{major_units(amount, code)} {code}" for code, amount in sorted(money.items()) if amount)
    return ", ".join(amounts) or "-"


def _texts(partner: Partner) -> dict[str, str]:
    values = (partner.partner_key, partner.key, partner.name, partner.email, partner.group)
    return dict(zip(TEXTS, values, strict=True))


def _counts(figures: Figures) -> dict[str, int]:
    return dict(zip(COUNTS, (figures.clicks, figures.sign_ups, figures.paying), strict=True))


def _figures(figures: Figures) -> dict[str, Any]:
    return {
        **_counts(figures),
        "revenue": _amounts(figures.revenue),
        "refunds": _amounts(figures.refunds),
        "rewards": {status: _amounts(money) for status, money in sorted(figures.rewards.items())},
    }


def _amounts(money: Money) -> dict[str, str]:
    return {code: major_units(amount, code) for code, amount in sorted(money.items())}
