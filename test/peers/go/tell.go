// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/sdk/instrumentation"
	sdklog "go.opentelemetry.io/otel/sdk/log"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

// Exporters that first say on stdout what they are about to send, one JSON line per item (form: ../README.md).

type item = map[string]any

func tell(items ...item) error {
	encoder := json.NewEncoder(os.Stdout)
	for _, one := range items {
		if err := encoder.Encode(one); err != nil {
			return err
		}
	}
	return nil
}

func originOf(signal string, from *resource.Resource, scope instrumentation.Scope) item {
	return item{
		"signal":   signal,
		"resource": attributesOf(from.Attributes()),
		"scope":    item{"name": scope.Name, "version": scope.Version, "attributes": attributesOf(scope.Attributes.ToSlice())},
	}
}

func attributesOf(attributes []attribute.KeyValue) item {
	told := item{}
	for _, one := range attributes {
		told[string(one.Key)] = valueOf(one.Value)
	}
	return told
}

func valueOf(value attribute.Value) any {
	switch value.Type() {
	case attribute.EMPTY:
		return nil
	case attribute.STRING:
		return value.AsString()
	case attribute.BOOL:
		return value.AsBool()
	case attribute.INT64:
		return item{"int": strconv.FormatInt(value.AsInt64(), 10)}
	case attribute.FLOAT64:
		return item{"double": value.AsFloat64()}
	case attribute.BYTESLICE:
		return item{"bytes": base64.StdEncoding.EncodeToString(value.AsByteSlice())}
	case attribute.STRINGSLICE:
		return listOf(value.AsStringSlice(), attribute.StringValue)
	case attribute.BOOLSLICE:
		return listOf(value.AsBoolSlice(), attribute.BoolValue)
	case attribute.INT64SLICE:
		return listOf(value.AsInt64Slice(), attribute.Int64Value)
	case attribute.FLOAT64SLICE:
		return listOf(value.AsFloat64Slice(), attribute.Float64Value)
	case attribute.SLICE:
		return listOf(value.AsSlice(), func(one attribute.Value) attribute.Value { return one })
	case attribute.MAP:
		return item{"map": attributesOf(value.AsMap())}
	}
	panic(fmt.Sprintf("no attribute value: %v", value))
}

func listOf[T any](values []T, toValue func(T) attribute.Value) []any {
	told := make([]any, len(values))
	for index, value := range values {
		told[index] = valueOf(toValue(value))
	}
	return told
}

func nanos(at time.Time) string {
	if at.IsZero() {
		return "0"
	}
	return strconv.FormatInt(at.UnixNano(), 10)
}

func traceIDOf(id trace.TraceID) string {
	if !id.IsValid() {
		return ""
	}
	return id.String()
}

func spanIDOf(id trace.SpanID) string {
	if !id.IsValid() {
		return ""
	}
	return id.String()
}

type tellingSpans struct{ sdktrace.SpanExporter }

// OTLP counts the status codes otherwise than the API.
var statusCodes = map[codes.Code]int{codes.Unset: 0, codes.Ok: 1, codes.Error: 2}

func (t tellingSpans) ExportSpans(ctx context.Context, spans []sdktrace.ReadOnlySpan) error {
	for _, span := range spans {
		told := originOf("traces", span.Resource(), span.InstrumentationScope())
		told["traceId"] = traceIDOf(span.SpanContext().TraceID())
		told["spanId"] = spanIDOf(span.SpanContext().SpanID())
		told["parentSpanId"] = spanIDOf(span.Parent().SpanID())
		told["name"] = span.Name()
		told["kind"] = int(span.SpanKind())
		told["start"] = nanos(span.StartTime())
		told["end"] = nanos(span.EndTime())
		told["attributes"] = attributesOf(span.Attributes())
		events, links := []item{}, []item{}
		for _, event := range span.Events() {
			events = append(events, item{
				"time": nanos(event.Time), "name": event.Name, "attributes": attributesOf(event.Attributes)})
		}
		for _, link := range span.Links() {
			links = append(links, item{
				"traceId": traceIDOf(link.SpanContext.TraceID()), "spanId": spanIDOf(link.SpanContext.SpanID()),
				"attributes": attributesOf(link.Attributes)})
		}
		told["events"], told["links"] = events, links
		told["status"] = item{"code": statusCodes[span.Status().Code], "message": span.Status().Description}
		if err := tell(told); err != nil {
			return err
		}
	}
	return t.SpanExporter.ExportSpans(ctx, spans)
}

type tellingLogs struct{ sdklog.Exporter }

func (t tellingLogs) Export(ctx context.Context, records []sdklog.Record) error {
	for _, record := range records {
		told := originOf("logs", record.Resource(), record.InstrumentationScope())
		told["time"] = nanos(record.Timestamp())
		told["observed"] = nanos(record.ObservedTimestamp())
		told["severity"] = int(record.Severity())
		told["severityText"] = record.SeverityText()
		told["body"] = valueOf(record.Body())
		attributes := item{}
		record.WalkAttributes(func(one attribute.KeyValue) bool {
			attributes[string(one.Key)] = valueOf(one.Value)
			return true
		})
		told["attributes"] = attributes
		told["traceId"] = traceIDOf(record.TraceID())
		told["spanId"] = spanIDOf(record.SpanID())
		told["eventName"] = record.EventName()
		if err := tell(told); err != nil {
			return err
		}
	}
	return t.Exporter.Export(ctx, records)
}
