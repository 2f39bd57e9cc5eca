// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"fmt"
	"net/http"

	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/translator/zipkin/zipkinv2"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/pdata/ptrace"
)

// zipkinFactory is a `zipkin` exporter of nothing but the contrib translator and marshalers, without queue and retries: the
// exporter of the contrib distribution is not in every module proxy, and the conversion is what is compared.
func zipkinFactory() exporter.Factory {
	return exporter.NewFactory(
		component.MustNewType("zipkin"),
		func() component.Config { return &zipkinConfig{Format: "json"} },
		exporter.WithTraces(func(_ context.Context, _ exporter.Settings, config component.Config) (exporter.Traces, error) {
			return &zipkinExporter{config: config.(*zipkinConfig)}, nil
		}, component.StabilityLevelDevelopment))
}

type zipkinConfig struct {
	Endpoint string `mapstructure:"endpoint"`
	Format   string `mapstructure:"format"`
}

type zipkinExporter struct {
	component.StartFunc
	component.ShutdownFunc
	config *zipkinConfig
}

func (*zipkinExporter) Capabilities() consumer.Capabilities { return consumer.Capabilities{} }

func (e *zipkinExporter) ConsumeTraces(_ context.Context, traces ptrace.Traces) error {
	var marshaler ptrace.Marshaler = zipkinv2.NewJSONTracesMarshaler()
	contentType := "application/json"
	if e.config.Format == "proto" {
		marshaler, contentType = zipkinv2.NewProtobufTracesMarshaler(), "application/x-protobuf"
	}
	body, err := marshaler.MarshalTraces(traces)
	if err != nil {
		return fmt.Errorf("failed to push trace data via Zipkin exporter: %w", err)
	}
	response, err := http.Post(e.config.Endpoint, contentType, bytes.NewReader(body))
	if err != nil {
		return err
	}
	return response.Body.Close()
}
