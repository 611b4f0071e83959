"""
Traces, metrics and fields of log records, by OpenTelemetry and the ``logging`` module.

Without the package ``opentelemetry-api`` (extra ``opentelemetry``) nothing here does anything but name the
fields of a log record; without an SDK, OpenTelemetry itself discards all of it.

A message keeps the trace in which the site queued it, so that the span of an attempt, in another process and
perhaps days later, can link to it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from functools import partial
from threading import Lock
from typing import Any

from django.db import connections

from . import __version__

try:
    from opentelemetry import metrics, trace
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
except ImportError:
    IS_AVAILABLE = False
else:
    IS_AVAILABLE = True

NAME = "django_partnerstack"

#: Seconds that the gauges of one export use the same figures.
FRESH = 5.0

#: What an attempt is counted as, by the name of the message's new state.
COUNTED_AS = {"DELIVERED": "delivered", "FAILED": "failed", "ON_HOLD": "failed", "SCHEDULED": "retried"}


def fields(message: Any) -> dict[str, Any]:
    """The fields of a log record about a message, for ``extra=``. No standard field has these names."""
    return {
        "partnerstack_message": message.pk,
        "partnerstack_operation": message.operation,
        "partnerstack_subject": message.subject,
        "partnerstack_mode": message.mode,
        "partnerstack_attempt": message.attempts,
    }


def traceparent() -> str | None:
    """The current trace as W3C's ``traceparent``, of 55 characters; None if there is none."""
    if not IS_AVAILABLE or not trace.get_current_span().get_span_context().is_valid:
        return None
    carrier: dict[str, str] = {}
    TraceContextTextMapPropagator().inject(carrier)
    return carrier.get("traceparent")


def close_idle_connections() -> None:
    """
    Close the connections of this thread to the databases, unless one is in a transaction.

    For threads of exporters and of health checks, whose connections nobody else closes.
    """
    for connection in connections.all(initialized_only=True):
        if not connection.in_atomic_block:
            connection.close_if_unusable_or_obsolete()


@contextmanager
def attempt(message: Any) -> Iterator[Callable[[Any], Any]]:
    """
    The span of an attempt, for the block, linked to the trace of the message.

    The block calls what this yields with the outcome, which is returned as it is and counted.
    """
    if not IS_AVAILABLE:
        yield lambda outcome: outcome
        return
    attributes = {name.replace("_", ".", 1): value for name, value in fields(message).items()}
    is_look_up = message.in_doubt_since is not None
    tracer = trace.get_tracer(NAME, __version__)
    with tracer.start_as_current_span(
        f"partnerstack {message.operation}",
        context=trace.set_span_in_context(trace.INVALID_SPAN),
        kind=trace.SpanKind.CLIENT,
        attributes={**attributes, "partnerstack.look_up": is_look_up},
        links=_links(message.traceparent),
        # Its text may contain personal data.
        record_exception=False,
    ) as span:

        def end(outcome: Any) -> Any:
            state = outcome.state.name
            span.set_attribute("partnerstack.state", state.lower())
            if COUNTED_AS.get(state) == "failed":
                span.set_status(trace.StatusCode.ERROR)
            labels = {"mode": message.mode, "operation": message.operation}
            if is_look_up:
                _counter("messages.looked_up").add(1, labels)
            if state in COUNTED_AS and (state != "SCHEDULED" or outcome.counts_as_attempt):
                _counter(f"messages.{COUNTED_AS[state]}").add(1, labels)
            return outcome

        yield end


def _links(parent: str | None) -> list[Any]:
    if not parent:
        return []
    context = TraceContextTextMapPropagator().extract({"traceparent": parent})
    linked = trace.get_current_span(context).get_span_context()
    return [trace.Link(linked)] if linked.is_valid else []


def count_synced(resource: str, mode: str, **rows: int) -> None:
    """Count the rows of a stored page, such as ``created=3``."""
    for change, number in rows.items():
        if IS_AVAILABLE and number:
            _counter("sync.rows").add(number, {"mode": mode, "resource": resource, "change": change})


def count_webhook(step: str, kind: str, mode: str) -> None:
    """Count a webhook event. ``step``: received, done, ignored or failed; ``kind``: such as "customer"."""
    if IS_AVAILABLE:
        _counter(f"webhooks.{step}").add(1, {"mode": mode, "kind": kind or "unknown"})


_counters: dict[str, Any] = {}


def _counter(name: str) -> Any:
    if name not in _counters:
        _counters[name] = metrics.get_meter(NAME, __version__).create_counter(f"partnerstack.{name}")
    return _counters[name]


#: The name, the description, and the values by their labels; None is not known, and a time is exported in
#: seconds since 1970.
Gauge = tuple[str, str, Mapping[tuple[tuple[str, str], ...], float | datetime | None]]


class _Gauges:
    """Gauges of the site's figures. All gauges of one export read them once."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._read: Callable[[], Iterable[Gauge]] = tuple
        self._read_at = float("-inf")
        self._values: dict[str, list[Any]] = {}

    def start(self, read: Callable[[], Iterable[Gauge]]) -> None:
        self._read, self._read_at = read, float("-inf")
        meter = metrics.get_meter(NAME, __version__)
        for name, text, _ in read():
            if name not in self._values:
                self._values[name] = []
                meter.create_observable_gauge(name, [partial(self._observe, name)], description=text)

    def _observe(self, name: str, options: Any) -> list[Any]:
        with self._lock:
            if time.monotonic() - self._read_at > FRESH:
                self._read_at = time.monotonic()
                self._refresh()
            return self._values[name]

    def _refresh(self) -> None:
        try:
            for name, _, samples in self._read():
                self._values[name] = [
                    metrics.Observation(_number(value), dict(labels))
                    for labels, value in samples.items()
                    if value is not None
                ]
        finally:
            close_idle_connections()


def _number(value: float | datetime) -> float:
    return value.timestamp() if isinstance(value, datetime) else value


_gauges = _Gauges()


def observe(gauges: Callable[[], Iterable[Gauge]]) -> None:
    """
    Export the figures of the site from this process. Safe to repeat.

    ``gauges``: ``django_partnerstack.status.gauges``. It is called once now, for the names, and whenever
    metrics are exported.
    """
    if IS_AVAILABLE:
        _gauges.start(gauges)
