// SPDX-License-Identifier: Apache-2.0
package peer;

import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.api.common.Attributes;
import io.opentelemetry.api.common.KeyValue;
import io.opentelemetry.api.common.Value;
import io.opentelemetry.api.trace.SpanContext;
import io.opentelemetry.sdk.common.CompletableResultCode;
import io.opentelemetry.sdk.common.InstrumentationScopeInfo;
import io.opentelemetry.sdk.logs.data.LogRecordData;
import io.opentelemetry.sdk.logs.export.LogRecordExporter;
import io.opentelemetry.sdk.metrics.InstrumentType;
import io.opentelemetry.sdk.metrics.data.AggregationTemporality;
import io.opentelemetry.sdk.metrics.data.MetricData;
import io.opentelemetry.sdk.metrics.export.MetricExporter;
import io.opentelemetry.sdk.resources.Resource;
import io.opentelemetry.sdk.trace.data.EventData;
import io.opentelemetry.sdk.trace.data.LinkData;
import io.opentelemetry.sdk.trace.data.SpanData;
import io.opentelemetry.sdk.trace.export.SpanExporter;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Exporters that first say on stdout what they are about to send, one JSON line per item (form: test/peers/README.md). */
final class Tell {
  static void tell(Map<String, Object> item) {
    System.out.println(Json.of(item));
  }

  static Map<String, Object> origin(String signal, Resource resource, InstrumentationScopeInfo scope) {
    Map<String, Object> told = new LinkedHashMap<>();
    told.put("signal", signal);
    told.put("resource", attributes(resource.getAttributes()));
    told.put(
        "scope",
        Map.of(
            "name", scope.getName(),
            "version", scope.getVersion() == null ? "" : scope.getVersion(),
            "attributes", attributes(scope.getAttributes())));
    return told;
  }

  static Map<String, Object> attributes(Attributes attributes) {
    Map<String, Object> told = new LinkedHashMap<>();
    attributes.forEach((AttributeKey<?> key, Object value) -> told.put(key.getKey(), value(value)));
    return told;
  }

  static Object value(Object value) {
    if (value instanceof String || value instanceof Boolean) return value;
    if (value instanceof Long) return Map.of("int", value.toString());
    if (value instanceof Double) return Map.of("double", value);
    if (value instanceof ByteBuffer) {
      byte[] bytes = new byte[((ByteBuffer) value).remaining()];
      ((ByteBuffer) value).duplicate().get(bytes);
      return Map.of("bytes", Base64.getEncoder().encodeToString(bytes));
    }
    if (value instanceof Value) return value(((Value<?>) value).getValue());
    if (value instanceof List) {
      List<?> items = (List<?>) value;
      if (!items.isEmpty() && items.get(0) instanceof KeyValue) {
        Map<String, Object> map = new LinkedHashMap<>();
        for (Object item : items) map.put(((KeyValue) item).getKey(), value(((KeyValue) item).getValue()));
        return Map.of("map", map);
      }
      List<Object> told = new ArrayList<>();
      for (Object item : items) told.add(value(item));
      return told;
    }
    throw new IllegalArgumentException("no attribute value: " + value);
  }

  static String traceId(SpanContext context) {
    return context.isValid() ? context.getTraceId() : "";
  }

  static String spanId(SpanContext context) {
    return context.isValid() ? context.getSpanId() : "";
  }

  static final class Spans implements SpanExporter {
    private final SpanExporter to;

    Spans(SpanExporter to) {
      this.to = to;
    }

    @Override
    public CompletableResultCode export(Collection<SpanData> spans) {
      for (SpanData span : spans) {
        Map<String, Object> told = origin("traces", span.getResource(), span.getInstrumentationScopeInfo());
        told.put("traceId", traceId(span.getSpanContext()));
        told.put("spanId", spanId(span.getSpanContext()));
        told.put("parentSpanId", spanId(span.getParentSpanContext()));
        told.put("name", span.getName());
        told.put("kind", span.getKind().ordinal() + 1);
        told.put("start", Long.toString(span.getStartEpochNanos()));
        told.put("end", Long.toString(span.getEndEpochNanos()));
        told.put("attributes", attributes(span.getAttributes()));
        List<Object> events = new ArrayList<>();
        for (EventData event : span.getEvents()) {
          events.add(
              Map.of(
                  "time", Long.toString(event.getEpochNanos()),
                  "name", event.getName(),
                  "attributes", attributes(event.getAttributes())));
        }
        told.put("events", events);
        List<Object> links = new ArrayList<>();
        for (LinkData link : span.getLinks()) {
          links.add(
              Map.of(
                  "traceId", traceId(link.getSpanContext()),
                  "spanId", spanId(link.getSpanContext()),
                  "attributes", attributes(link.getAttributes())));
        }
        told.put("links", links);
        told.put(
            "status",
            Map.of(
                "code", span.getStatus().getStatusCode().ordinal(),
                "message", span.getStatus().getDescription()));
        tell(told);
      }
      return to.export(spans);
    }

    @Override
    public CompletableResultCode flush() {
      return to.flush();
    }

    @Override
    public CompletableResultCode shutdown() {
      return to.shutdown();
    }
  }

  static final class Logs implements LogRecordExporter {
    private final LogRecordExporter to;

    Logs(LogRecordExporter to) {
      this.to = to;
    }

    @Override
    public CompletableResultCode export(Collection<LogRecordData> records) {
      for (LogRecordData record : records) {
        Map<String, Object> told = origin("logs", record.getResource(), record.getInstrumentationScopeInfo());
        told.put("time", Long.toString(record.getTimestampEpochNanos()));
        told.put("observed", Long.toString(record.getObservedTimestampEpochNanos()));
        told.put("severity", record.getSeverity().getSeverityNumber());
        told.put("severityText", record.getSeverityText() == null ? "" : record.getSeverityText());
        told.put("body", record.getBodyValue() == null ? null : value(record.getBodyValue()));
        told.put("attributes", attributes(record.getAttributes()));
        told.put("traceId", traceId(record.getSpanContext()));
        told.put("spanId", spanId(record.getSpanContext()));
        told.put("eventName", record.getEventName() == null ? "" : record.getEventName());
        tell(told);
      }
      return to.export(records);
    }

    @Override
    public CompletableResultCode flush() {
      return to.flush();
    }

    @Override
    public CompletableResultCode shutdown() {
      return to.shutdown();
    }
  }

  static final class Metrics implements MetricExporter {
    private final MetricExporter to;

    Metrics(MetricExporter to) {
      this.to = to;
    }

    @Override
    public AggregationTemporality getAggregationTemporality(InstrumentType type) {
      return to.getAggregationTemporality(type);
    }

    @Override
    public CompletableResultCode export(Collection<MetricData> metrics) {
      for (MetricData metric : metrics) {
        for (Map<String, Object> point : Points.of(metric)) {
          Map<String, Object> told = origin("metrics", metric.getResource(), metric.getInstrumentationScopeInfo());
          told.putAll(point);
          tell(told);
        }
      }
      return to.export(metrics);
    }

    @Override
    public CompletableResultCode flush() {
      return to.flush();
    }

    @Override
    public CompletableResultCode shutdown() {
      return to.shutdown();
    }
  }

  private Tell() {}
}
