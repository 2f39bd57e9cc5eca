// SPDX-License-Identifier: Apache-2.0

// Sends N spans, N log records and some metrics with the Go SDK; ../README.md says what the peers have in common.
// Endpoint and compression are read by the SDK itself from OTEL_EXPORTER_OTLP_*.
package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"strconv"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/log"
	"go.opentelemetry.io/otel/metric"
	sdklog "go.opentelemetry.io/otel/sdk/log"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

var described = resource.NewSchemaless(
	attribute.String("service.name", "peer-go"),
	attribute.Int("process.pid", 4711),
	attribute.Float64Slice("host.cpu", []float64{0.5, 1.5}),
)

func main() {
	if err := run(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	if len(os.Args) != 2 {
		return errors.New("usage: peer-go N")
	}
	count, err := strconv.Atoi(os.Args[1])
	if err != nil {
		return err
	}
	exporters, err := newExporters(ctx, os.Getenv("OTEL_EXPORTER_OTLP_PROTOCOL"))
	if err != nil {
		return err
	}
	return errors.Join(
		sendSpans(ctx, count, exporters.traces),
		sendLogs(ctx, count, exporters.logs),
		sendMetrics(ctx, exporters.metrics),
	)
}

func sendSpans(ctx context.Context, count int, exporter sdktrace.SpanExporter) error {
	provider := sdktrace.NewTracerProvider(
		sdktrace.WithBatcher(tellingSpans{exporter}, sdktrace.WithMaxQueueSize(count)),
		sdktrace.WithResource(described),
	)
	tracer := provider.Tracer("peer", trace.WithInstrumentationVersion("1.2.3"),
		trace.WithInstrumentationAttributes(attribute.String("scope", "yes")))
	ctx, root := tracer.Start(ctx, "root", trace.WithSpanKind(trace.SpanKindServer))
	for index := 1; index < count; index++ {
		options := []trace.SpanStartOption{trace.WithSpanKind(trace.SpanKind(index%5 + 1))}
		if index%3 == 0 {
			options = append(options, trace.WithLinks(trace.Link{
				SpanContext: root.SpanContext(),
				Attributes:  []attribute.KeyValue{attribute.String("why", "test")},
			}))
		}
		_, span := tracer.Start(ctx, fmt.Sprintf("work \u00e4 %d", index), options...)
		span.SetAttributes(
			attribute.Int("n", index),
			attribute.Int64("big", 1<<53+1),
			attribute.Float64("ratio", float64(index)/3),
			attribute.Bool("ok", true),
			attribute.StringSlice("\u00e4", []string{"a", "\u20ac"}),
			attribute.Int64Slice("ints", []int64{math.MinInt64, 0, math.MaxInt64}),
			attribute.BoolSlice("bools", []bool{true, false}),
			attribute.KeyValue{Key: "map", Value: attribute.MapValue(attribute.Int("one", 1), attribute.String("two", ""))},
		)
		span.AddEvent("cache miss", trace.WithAttributes(attribute.String("key", fmt.Sprint("k", index))))
		if index%5 == 0 {
			span.SetStatus(codes.Error, "boom")
		} else if index%5 == 1 {
			span.SetStatus(codes.Ok, "")
		}
		span.End()
	}
	root.End()
	return provider.Shutdown(ctx)
}

func sendLogs(ctx context.Context, count int, exporter sdklog.Exporter) error {
	provider := sdklog.NewLoggerProvider(
		sdklog.WithProcessor(sdklog.NewBatchProcessor(tellingLogs{exporter}, sdklog.WithMaxQueueSize(count))),
		sdklog.WithResource(described),
	)
	logger := provider.Logger("peer.logs", log.WithInstrumentationVersion("4.5.6"))
	bodies := []attribute.Value{
		attribute.StringValue("plain \u20ac"),
		attribute.IntValue(42),
		attribute.Float64Value(0.25),
		attribute.BoolValue(true),
		attribute.SliceValue(attribute.StringValue("a"), attribute.IntValue(1)),
		attribute.MapValue(attribute.KeyValue{Key: "nested", Value: attribute.MapValue(attribute.String("deep", "down"))}),
		attribute.ByteSliceValue([]byte{0x00, 0xff}),
		{},
	}
	within := trace.ContextWithSpanContext(ctx, trace.NewSpanContext(trace.SpanContextConfig{
		TraceID: trace.TraceID{0x5b, 0x8e, 15: 0x0c},
		SpanID:  trace.SpanID{0xee, 7: 0x74},
	}))
	for index := range count {
		var record log.Record
		record.SetTimestamp(time.Unix(1_700_000_000, int64(index)))
		record.SetObservedTimestamp(time.Unix(1_700_000_001, int64(index)))
		record.SetSeverity(log.Severity(index%24 + 1))
		record.SetSeverityText(fmt.Sprint("level ", index))
		record.SetBody(bodies[index%len(bodies)])
		record.AddAttributes(attribute.Int("index", index), attribute.Bool("ok", true),
			attribute.KeyValue{Key: "raw", Value: attribute.ByteSliceValue([]byte{1, 2})})
		emitted := ctx
		if index%2 == 0 {
			emitted = within
		}
		if index%4 == 0 {
			record.SetEventName("peer.event")
		}
		logger.Emit(emitted, record)
	}
	return provider.Shutdown(ctx)
}

func sendMetrics(ctx context.Context, exporter sdkmetric.Exporter) error {
	spread := sdkmetric.NewView(
		sdkmetric.Instrument{Name: "spread"},
		sdkmetric.Stream{Aggregation: sdkmetric.AggregationBase2ExponentialHistogram{MaxSize: 160, MaxScale: 20}},
	)
	provider := sdkmetric.NewMeterProvider(
		sdkmetric.WithReader(sdkmetric.NewPeriodicReader(tellingMetrics{exporter}, sdkmetric.WithInterval(time.Hour))),
		sdkmetric.WithResource(described),
		sdkmetric.WithView(spread),
	)
	meter := provider.Meter("peer.metrics", metric.WithInstrumentationVersion("7.8.9"))
	requests, err1 := meter.Int64Counter("requests", metric.WithUnit("{request}"), metric.WithDescription("Requests answered."))
	sent, err2 := meter.Float64Counter("sent", metric.WithUnit("By"))
	open, err3 := meter.Int64UpDownCounter("open", metric.WithUnit("{connection}"))
	level, err4 := meter.Float64Gauge("level", metric.WithUnit("1"))
	latency, err5 := meter.Float64Histogram("latency", metric.WithUnit("s"), metric.WithExplicitBucketBoundaries(0.1, 0.5, 1))
	spreadOf, err6 := meter.Float64Histogram("spread", metric.WithUnit("ms"))
	_, err7 := meter.Float64ObservableGauge("temperature", metric.WithUnit("Cel"),
		metric.WithFloat64Callback(func(_ context.Context, observer metric.Float64Observer) error {
			observer.Observe(-3.5, metric.WithAttributes(attribute.String("room", "north")))
			observer.Observe(21, metric.WithAttributes(attribute.String("room", "south")))
			return nil
		}))
	if err := errors.Join(err1, err2, err3, err4, err5, err6, err7); err != nil {
		return err
	}
	// Within a sampled span, so that the points carry exemplars.
	within := trace.ContextWithSpanContext(ctx, trace.NewSpanContext(trace.SpanContextConfig{
		TraceID: trace.TraceID{0x5b, 15: 0x0c}, SpanID: trace.SpanID{0xee, 7: 0x74}, TraceFlags: trace.FlagsSampled,
	}))
	for index := range 20 {
		requests.Add(within, int64(index), metric.WithAttributes(attribute.String("route", fmt.Sprint("/", index%3))))
		sent.Add(ctx, float64(index)/8)
		open.Add(ctx, int64(index%3)-1)
		level.Record(ctx, float64(index)/4)
		latency.Record(within, float64(index)/10, metric.WithAttributes(attribute.String("route", "/a")))
		spreadOf.Record(ctx, math.Pow(1.5, float64(index))-math.Pow(2, float64(index%4)))
	}
	return provider.Shutdown(ctx)
}
