// SPDX-License-Identifier: Apache-2.0
package peer;

import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.api.common.Attributes;
import io.opentelemetry.api.common.Value;
import io.opentelemetry.api.logs.LogRecordBuilder;
import io.opentelemetry.api.logs.Logger;
import io.opentelemetry.api.logs.Severity;
import io.opentelemetry.api.metrics.DoubleHistogram;
import io.opentelemetry.api.metrics.LongCounter;
import io.opentelemetry.api.metrics.LongUpDownCounter;
import io.opentelemetry.api.metrics.Meter;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.SpanBuilder;
import io.opentelemetry.api.trace.SpanContext;
import io.opentelemetry.api.trace.SpanKind;
import io.opentelemetry.api.trace.StatusCode;
import io.opentelemetry.api.trace.TraceFlags;
import io.opentelemetry.api.trace.TraceState;
import io.opentelemetry.api.trace.Tracer;
import io.opentelemetry.context.Context;
import io.opentelemetry.sdk.OpenTelemetrySdk;
import io.opentelemetry.sdk.autoconfigure.AutoConfiguredOpenTelemetrySdk;
import io.opentelemetry.sdk.metrics.Aggregation;
import io.opentelemetry.sdk.metrics.InstrumentSelector;
import io.opentelemetry.sdk.metrics.View;
import io.opentelemetry.sdk.resources.Resource;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/**
 * Sends N spans, N log records and some metrics with the Java SDK; test/peers/README.md says what the peers have in common.
 * Endpoint, protocol and compression are read by the SDK itself from OTEL_EXPORTER_OTLP_*.
 */
public final class Send {
  private static final AttributeKey<Long> N = AttributeKey.longKey("n");

  public static void main(String[] arguments) {
    int count = Integer.parseInt(arguments[0]);
    Resource described =
        Resource.create(
            Attributes.builder()
                .put("service.name", "peer-java")
                .put("process.pid", 4711)
                .put("host.cpu", 0.5, 1.5)
                .build());
    OpenTelemetrySdk sdk =
        AutoConfiguredOpenTelemetrySdk.builder()
            .addPropertiesSupplier(() -> Map.of("otel.metric.export.interval", "3600000"))
            .addResourceCustomizer((ignored, config) -> described)
            .addSpanExporterCustomizer((to, config) -> new Tell.Spans(to))
            .addLogRecordExporterCustomizer((to, config) -> new Tell.Logs(to))
            .addMetricExporterCustomizer((to, config) -> new Tell.Metrics(to))
            .addMeterProviderCustomizer(
                (meters, config) ->
                    meters.registerView(
                        InstrumentSelector.builder().setName("spread").build(),
                        View.builder()
                            .setAggregation(Aggregation.base2ExponentialBucketHistogram())
                            .build()))
            .disableShutdownHook()
            .build()
            .getOpenTelemetrySdk();
    sendSpans(count, sdk);
    sendLogs(count, sdk);
    sendMetrics(sdk);
    sdk.shutdown().join(30, TimeUnit.SECONDS);
  }

  private static void sendSpans(int count, OpenTelemetrySdk sdk) {
    Tracer tracer = sdk.getTracer("peer", "1.2.3");
    Span root = tracer.spanBuilder("root").setSpanKind(SpanKind.SERVER).startSpan();
    Context within = root.storeInContext(Context.root());
    SpanKind[] kinds = SpanKind.values();
    for (int index = 1; index < count; index++) {
      SpanBuilder builder =
          tracer
              .spanBuilder("work \u00e4 " + index)
              .setParent(within)
              .setSpanKind(kinds[index % kinds.length])
              .setAttribute(N, (long) index)
              .setAttribute("big", (1L << 53) + 1)
              .setAttribute("ratio", index / 3.0)
              .setAttribute("ok", true)
              .setAttribute(AttributeKey.stringArrayKey("\u00e4"), List.of("a", "\u20ac"))
              .setAttribute(AttributeKey.longArrayKey("longs"), List.of(Long.MIN_VALUE, 0L));
      if (index % 3 == 0) builder.addLink(root.getSpanContext(), Attributes.builder().put("why", "test").build());
      Span span = builder.startSpan();
      span.addEvent("cache miss", Attributes.builder().put("key", "k" + index).build());
      if (index % 5 == 0) span.setStatus(StatusCode.ERROR, "boom");
      if (index % 7 == 0) span.recordException(new IllegalStateException("no such item"));
      span.end();
    }
    root.end();
  }

  private static void sendLogs(int count, OpenTelemetrySdk sdk) {
    Logger logger = sdk.getSdkLoggerProvider().loggerBuilder("peer.logs").setInstrumentationVersion("4.5.6").build();
    List<Value<?>> bodies =
        List.of(
            Value.of("plain \u20ac"),
            Value.of(42),
            Value.of(0.25),
            Value.of(true),
            Value.of(Value.of("a"), Value.of(1)),
            Value.of(Map.of("nested", Value.of(Map.of("deep", Value.of("down"))))),
            Value.of(new byte[] {0, (byte) 0xff}));
    SpanContext context =
        SpanContext.create(
            "5b8efff798038103d269b633813fc60c", "eee19b7ec3c1b174", TraceFlags.getSampled(), TraceState.getDefault());
    Context within = Span.wrap(context).storeInContext(Context.root());
    Severity[] severities = Severity.values();
    for (int index = 0; index < count; index++) {
      LogRecordBuilder record =
          logger
              .logRecordBuilder()
              .setTimestamp(Instant.ofEpochSecond(1_700_000_000, index))
              .setObservedTimestamp(Instant.ofEpochSecond(1_700_000_001, index))
              .setContext(index % 2 == 0 ? within : Context.root())
              .setSeverity(severities[index % severities.length])
              .setSeverityText("level " + index)
              .setBody(bodies.get(index % bodies.size()))
              .setAttribute(N, (long) index)
              .setAttribute(AttributeKey.booleanKey("ok"), true);
      if (index % 4 == 0) record.setEventName("peer.event");
      record.emit();
    }
  }

  private static void sendMetrics(OpenTelemetrySdk sdk) {
    Meter meter = sdk.getSdkMeterProvider().meterBuilder("peer.metrics").setInstrumentationVersion("7.8.9").build();
    LongCounter requests =
        meter.counterBuilder("requests").setUnit("{request}").setDescription("Requests answered.").build();
    var sent = meter.counterBuilder("sent").setUnit("By").ofDoubles().build();
    LongUpDownCounter open = meter.upDownCounterBuilder("open").setUnit("{connection}").build();
    var level = meter.gaugeBuilder("level").setUnit("1").build();
    DoubleHistogram latency =
        meter
            .histogramBuilder("latency")
            .setUnit("s")
            .setExplicitBucketBoundariesAdvice(List.of(0.1, 0.5, 1.0))
            .build();
    DoubleHistogram spread = meter.histogramBuilder("spread").setUnit("ms").build();
    meter
        .gaugeBuilder("temperature")
        .setUnit("Cel")
        .buildWithCallback(
            observer -> {
              observer.record(-3.5, Attributes.builder().put("room", "north").build());
              observer.record(21, Attributes.builder().put("room", "south").build());
            });
    SpanContext context =
        SpanContext.create(
            "5b8efff798038103d269b633813fc60c", "eee19b7ec3c1b174", TraceFlags.getSampled(), TraceState.getDefault());
    // Within a sampled span, so that the points carry exemplars.
    Context within = Span.wrap(context).storeInContext(Context.root());
    for (int index = 0; index < 20; index++) {
      requests.add(index, Attributes.builder().put("route", "/" + index % 3).build(), within);
      sent.add(index / 8.0);
      open.add(index % 3 - 1);
      level.set(index / 4.0);
      latency.record(index / 10.0, Attributes.builder().put("route", "/a").build(), within);
      spread.record(Math.pow(1.5, index));
    }
  }

  private Send() {}
}
