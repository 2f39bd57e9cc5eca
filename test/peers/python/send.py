"""Sends N spans, N log records and some metrics with the Python SDK; see ../README.md for what the peers have in common.

Endpoint and compression are read by the SDK itself from OTEL_EXPORTER_OTLP_*.
"""

import os
import sys

from opentelemetry import trace
from opentelemetry._logs import LogRecord, SeverityNumber
from opentelemetry.metrics import CallbackOptions, Observation
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.metrics import Histogram, MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.metrics.view import ExponentialBucketHistogramAggregation, View
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import Link, SpanKind, Status, StatusCode

from tell import TellingLogExporter, TellingMetricExporter, TellingSpanExporter

if os.environ.get("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc") == "grpc":
    from opentelemetry.exporter.otlp.proto.grpc._log_exporter import OTLPLogExporter
    from opentelemetry.exporter.otlp.proto.grpc.metric_exporter import OTLPMetricExporter
    from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
else:
    from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
    from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

ATTRIBUTES = {"n": 7, "big": 2**53 + 1, "ratio": 0.5, "ok": True, "route": "/item/{id}", "\u00e4": ["a", "\u20ac"]}


def send_spans(count: int, resource: Resource) -> None:
    provider = TracerProvider(resource=resource)
    provider.add_span_processor(BatchSpanProcessor(TellingSpanExporter(OTLPSpanExporter())))
    tracer = provider.get_tracer("peer", "1.2.3", attributes={"scope": "yes"})
    with tracer.start_as_current_span("root", kind=SpanKind.SERVER) as root:
        for index in range(1, count):
            kind = list(SpanKind)[index % len(SpanKind)]
            links = [Link(root.get_span_context(), {"why": "test"})] if index % 3 == 0 else []
            with tracer.start_as_current_span(f"work \u00e4 {index}", kind=kind, links=links) as span:
                span.set_attributes({**ATTRIBUTES, "n": index, "ratio": index / 3, "negative": -index})
                span.add_event("cache miss", {"key": f"k{index}", "tries": index})
                if index % 5 == 0:
                    span.set_status(Status(StatusCode.ERROR, "boom"))
                if index % 7 == 0:
                    span.record_exception(ValueError("no such item"))
    provider.shutdown()


def send_logs(count: int, resource: Resource) -> None:
    provider = LoggerProvider(resource=resource)
    provider.add_log_record_processor(BatchLogRecordProcessor(TellingLogExporter(OTLPLogExporter())))
    logger = provider.get_logger("peer.logs", "4.5.6")
    bodies = ["plain \u20ac", 42, 0.25, True, ["a", 1], {"nested": {"deep": [1, "two"]}}, b"\x00\xff"]
    context = trace.SpanContext(0x5B8EFFF798038103D269B633813FC60C, 0xEEE19B7EC3C1B174, False)
    for index in range(count):
        within = trace.set_span_in_context(trace.NonRecordingSpan(context)) if index % 2 == 0 else None
        logger.emit(
            LogRecord(
                timestamp=1_700_000_000_000_000_000 + index,
                observed_timestamp=1_700_000_001_000_000_000 + index,
                context=within,
                severity_number=list(SeverityNumber)[index % len(SeverityNumber)],
                severity_text=f"level {index}",
                body=bodies[index % len(bodies)],
                attributes={**ATTRIBUTES, "index": index},
                event_name="peer.event" if index % 4 == 0 else None,
            )
        )
    provider.shutdown()


def send_metrics(resource: Resource) -> None:
    reader = PeriodicExportingMetricReader(
        TellingMetricExporter(OTLPMetricExporter()), export_interval_millis=3_600_000
    )
    spread = View(instrument_type=Histogram, instrument_name="spread", aggregation=ExponentialBucketHistogramAggregation())
    provider = MeterProvider(metric_readers=[reader], resource=resource, views=[spread])
    meter = provider.get_meter("peer.metrics", "7.8.9")
    requests = meter.create_counter("requests", "{request}", "Requests answered.")
    bytes_sent = meter.create_counter("sent", "By", "Bytes sent.")
    open_now = meter.create_up_down_counter("open", "{connection}")
    level = meter.create_gauge("level", "1")
    latency = meter.create_histogram("latency", "s", explicit_bucket_boundaries_advisory=[0.1, 0.5, 1])
    spread_of = meter.create_histogram("spread", "ms")

    def temperature(_: CallbackOptions):
        yield Observation(-3.5, {"room": "north"})
        yield Observation(21, {"room": "south"})

    meter.create_observable_gauge("temperature", [temperature], "Cel")
    for index in range(20):
        requests.add(index, {"route": f"/{index % 3}"})
        bytes_sent.add(index / 8)
        open_now.add(1 if index % 3 == 0 else -1)
        level.set(index / 4)
        latency.record(index / 10, {"route": "/a"})
        spread_of.record(1.5**index)
    provider.shutdown()


if __name__ == "__main__":
    count = int(sys.argv[1])
    described = Resource({"service.name": "peer-python", "process.pid": 4711, "host.cpu": [0.5, 1.5]})
    send_spans(count, described)
    send_logs(count, described)
    send_metrics(described)
