"""The health in the text format of Prometheus, for its text-file collector or a page of the site."""

from __future__ import annotations

from datetime import datetime

from .figures import Health
from .metrics import metrics


def prometheus_text(health: Health) -> str:
    """
    The figures as gauges, all with the label ``mode``. Times are in seconds since 1970.

    See prometheus.io/docs/instrumenting/exposition_formats.
    """
    lines: list[str] = []
    for name, help_text, samples in metrics(health):
        known = {labels: value for labels, value in samples.items() if value is not None}
        if not known:
            continue
        lines += [f"# HELP {name} {help_text}", f"# TYPE {name} gauge"]
        for labels, value in known.items():
            lines.append(f"{name}{{{_labels((('mode', health.mode), *labels))}}} {_number(value)}")
    return "".join(f"{line}\n" for line in lines)


def _labels(labels: tuple[tuple[str, str], ...]) -> str:
    return ",".join(f'{name}="{_escaped(value)}"' for name, value in labels)


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _number(value: float | datetime) -> str:
    return repr(value.timestamp() if isinstance(value, datetime) else value)
