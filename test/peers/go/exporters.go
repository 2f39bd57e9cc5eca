// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"

	"go.opentelemetry.io/otel/exporters/otlp/otlplog/otlploggrpc"
	"go.opentelemetry.io/otel/exporters/otlp/otlplog/otlploghttp"
	"go.opentelemetry.io/otel/exporters/otlp/otlpmetric/otlpmetricgrpc"
	"go.opentelemetry.io/otel/exporters/otlp/otlpmetric/otlpmetrichttp"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracegrpc"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	sdklog "go.opentelemetry.io/otel/sdk/log"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
)

type exporters struct {
	traces  sdktrace.SpanExporter
	logs    sdklog.Exporter
	metrics sdkmetric.Exporter
}

func newExporters(ctx context.Context, protocol string) (all exporters, err error) {
	var err1, err2, err3 error
	switch protocol {
	case "grpc":
		all.traces, err1 = otlptracegrpc.New(ctx)
		all.logs, err2 = otlploggrpc.New(ctx)
		all.metrics, err3 = otlpmetricgrpc.New(ctx)
	case "http/protobuf":
		all.traces, err1 = otlptracehttp.New(ctx)
		all.logs, err2 = otlploghttp.New(ctx)
		all.metrics, err3 = otlpmetrichttp.New(ctx)
	default:
		return all, fmt.Errorf("no such protocol: %q", protocol)
	}
	return all, errors.Join(err1, err2, err3)
}
