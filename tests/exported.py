"""What OpenTelemetry's SDK exports in the tests. A process can set its providers once."""

from __future__ import annotations

from functools import cache

from opentelemetry import metrics, trace
from opentelemetry.sdk.metrics import Counter, MeterProvider
from opentelemetry.sdk.metrics.export import AggregationTemporality, InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

SPANS = InMemorySpanExporter()
METRICS = InMemoryMetricReader(preferred_temporality={Counter: AggregationTemporality.DELTA})


@cache
def set_up() -> None:
    """Export everything from now on to ``SPANS`` and ``METRICS``."""
    tracing = TracerProvider()
    tracing.add_span_processor(SimpleSpanProcessor(SPANS))
    trace.set_tracer_provider(tracing)
    metrics.set_meter_provider(MeterProvider(metric_readers=[METRICS]))


def figures() -> dict[str, dict[str, float]]:
    """The value of each metric by its attributes, without the mode."""
    data = METRICS.get_metrics_data()
    found: dict[str, dict[str, float]] = {}
    for resource in data.resource_metrics if data else ():
        for scope in resource.scope_metrics:
            for metric in scope.metrics:
                for point in metric.data.data_points:
                    labels = dict(point.attributes or {})
                    if labels.pop("mode") != "test":  # An earlier test's.
                        continue
                    name = metric.name.removeprefix("partnerstack.").removeprefix("partnerstack_")
                    found.setdefault(name, {})[" ".join(map(str, labels.values()))] = point.value
    return found
