"""Exporters that first say on stdout what they are about to send, one JSON line per item (form: ../README.md)."""

import base64
import json
from collections.abc import Mapping, Sequence

from opentelemetry.sdk._logs.export import LogRecordExporter
from opentelemetry.sdk.metrics.export import (
    ExponentialHistogram,
    Gauge,
    Histogram,
    MetricExporter,
    Sum,
)
from opentelemetry.sdk.trace.export import SpanExporter


def value_of(value):
    if isinstance(value, (str, bool)) or value is None:
        return value
    if isinstance(value, int):
        return {"int": str(value)}
    if isinstance(value, float):
        return {"double": value}
    if isinstance(value, bytes):
        return {"bytes": base64.b64encode(value).decode()}
    if isinstance(value, Mapping):
        return {"map": attributes_of(value)}
    if isinstance(value, Sequence):
        return [value_of(item) for item in value]
    raise TypeError(f"no attribute value: {value!r}")


def attributes_of(attributes):
    return {key: value_of(value) for key, value in (attributes or {}).items()}


def origin_of(signal, resource, scope):
    return {
        "signal": signal,
        "resource": attributes_of(resource.attributes),
        "scope": {
            "name": scope.name,
            "version": scope.version or "",
            "attributes": attributes_of(scope.attributes),
        },
    }


def tell(item):
    print(json.dumps(item), flush=True)


def hex_of(number, digits):
    return format(number, f"0{digits}x") if number else ""


class TellingSpanExporter(SpanExporter):
    def __init__(self, to):
        self._to = to

    def export(self, spans):
        for span in spans:
            context = span.get_span_context()
            tell(
                {
                    **origin_of("traces", span.resource, span.instrumentation_scope),
                    "traceId": hex_of(context.trace_id, 32),
                    "spanId": hex_of(context.span_id, 16),
                    "parentSpanId": hex_of(span.parent.span_id, 16) if span.parent else "",
                    "name": span.name,
                    "kind": span.kind.value + 1,
                    "start": str(span.start_time),
                    "end": str(span.end_time),
                    "attributes": attributes_of(span.attributes),
                    "events": [
                        {"time": str(event.timestamp), "name": event.name, "attributes": attributes_of(event.attributes)}
                        for event in span.events
                    ],
                    "links": [
                        {
                            "traceId": hex_of(link.context.trace_id, 32),
                            "spanId": hex_of(link.context.span_id, 16),
                            "attributes": attributes_of(link.attributes),
                        }
                        for link in span.links
                    ],
                    "status": {"code": span.status.status_code.value, "message": span.status.description or ""},
                }
            )
        return self._to.export(spans)

    def shutdown(self):
        self._to.shutdown()

    def force_flush(self, timeout_millis=30_000):
        return self._to.force_flush(timeout_millis)


class TellingLogExporter(LogRecordExporter):
    def __init__(self, to):
        self._to = to

    def export(self, batch):
        for item in batch:
            record = item.log_record
            tell(
                {
                    **origin_of("logs", item.resource, item.instrumentation_scope),
                    "time": str(record.timestamp or 0),
                    "observed": str(record.observed_timestamp or 0),
                    "severity": record.severity_number.value if record.severity_number else 0,
                    "severityText": record.severity_text or "",
                    "body": value_of(record.body),
                    "attributes": attributes_of(record.attributes),
                    "traceId": hex_of(record.trace_id, 32),
                    "spanId": hex_of(record.span_id, 16),
                    "eventName": record.event_name or "",
                }
            )
        return self._to.export(batch)

    def shutdown(self):
        self._to.shutdown()

    def force_flush(self, timeout_millis=30_000):
        return self._to.force_flush(timeout_millis)


TYPES = {Sum: "sum", Gauge: "gauge", Histogram: "histogram", ExponentialHistogram: "exponential_histogram"}


def point_of(kind, point):
    if kind in ("sum", "gauge"):
        return {"value": value_of(point.value)}
    common = {
        "count": str(point.count),
        "sum": float(point.sum),
        "min": float(point.min),
        "max": float(point.max),
    }
    if kind == "histogram":
        return {**common, "bounds": list(point.explicit_bounds), "counts": [str(one) for one in point.bucket_counts]}
    return {
        **common,
        "scale": point.scale,
        "zeroCount": str(point.zero_count),
        "positive": buckets_of(point.positive),
        "negative": buckets_of(point.negative),
    }


def buckets_of(buckets):
    return {"offset": buckets.offset, "counts": [str(one) for one in buckets.bucket_counts]}


class TellingMetricExporter(MetricExporter):
    def __init__(self, to):
        super().__init__(to._preferred_temporality, to._preferred_aggregation)
        self._to = to

    def export(self, metrics_data, timeout_millis=10_000, **kwargs):
        for resource_metrics in metrics_data.resource_metrics:
            for scope_metrics in resource_metrics.scope_metrics:
                for metric in scope_metrics.metrics:
                    self._tell_metric(origin_of("metrics", resource_metrics.resource, scope_metrics.scope), metric)
        return self._to.export(metrics_data, timeout_millis, **kwargs)

    def _tell_metric(self, origin, metric):
        kind = TYPES[type(metric.data)]
        for point in metric.data.data_points:
            tell(
                {
                    **origin,
                    "metric": {
                        "name": metric.name,
                        "description": metric.description or "",
                        "unit": metric.unit or "",
                        "type": kind,
                        "temporality": 0 if kind == "gauge" else metric.data.aggregation_temporality.value,
                        "monotonic": kind == "sum" and metric.data.is_monotonic,
                    },
                    "attributes": attributes_of(point.attributes),
                    "start": str(point.start_time_unix_nano or 0),
                    "time": str(point.time_unix_nano),
                    **point_of(kind, point),
                }
            )

    def shutdown(self, timeout_millis=30_000, **kwargs):
        self._to.shutdown(timeout_millis, **kwargs)

    def force_flush(self, timeout_millis=10_000):
        return self._to.force_flush(timeout_millis)
