// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/consumer/xconsumer"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/exporter/xexporter"
	"go.opentelemetry.io/collector/otelcol"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/pprofile"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/processor"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"
	"go.yaml.in/yaml/v3"
)

// question is the standard input: one component per case, run on one of the inputs.
type question struct {
	Inputs map[string]json.RawMessage `json:"inputs"` // OTLP JSON
	Cases  []testCase                 `json:"cases"`
}

type testCase struct {
	ID        string            `json:"id"`
	Component string            `json:"component"` // type of a processor or an exporter
	Signal    string            `json:"signal"`
	Config    string            `json:"config"` // YAML
	Input     string            `json:"input"`
	Env       map[string]string `json:"env,omitempty"`    // cases with it run alone
	WaitMs    int               `json:"waitMs,omitempty"` // between the input and shutdown, for what decides later
	Repeat    int               `json:"repeat,omitempty"` // how often the input is given; once when left out
}

// answer is what the component did; of the errors only one is set.
type answer struct {
	ConfigError  string          `json:"configError,omitempty"`
	CreateError  string          `json:"createError,omitempty"` // the settings are good by themselves, but not for this signal
	StartError   string          `json:"startError,omitempty"`
	ConsumeError string          `json:"consumeError,omitempty"`
	Output       json.RawMessage `json:"output,omitempty"` // OTLP JSON, one request
	Logs         []string        `json:"logs,omitempty"`   // messages; of warnings and errors with their error
	// What an exporter wrote to the directory that DIRECTORY in its settings stands for, in base64.
	Files map[string][]byte `json:"files,omitempty"`
}

func answerAll(in io.Reader, out io.Writer) error {
	var asked question
	if err := json.NewDecoder(in).Decode(&asked); err != nil {
		return err
	}
	factories, err := components()
	if err != nil {
		return err
	}
	answers := make(map[string]answer, len(asked.Cases))
	var mutex sync.Mutex
	var group sync.WaitGroup
	run := func(one testCase) {
		result := answerOne(factories, one, asked.Inputs[one.Input])
		mutex.Lock()
		answers[one.ID] = result
		mutex.Unlock()
	}
	for _, one := range asked.Cases {
		if one.WaitMs > 0 {
			group.Add(1)
			go func() { defer group.Done(); run(one) }()
			continue
		}
		for name, value := range one.Env {
			os.Setenv(name, value)
		}
		run(one)
		for name := range one.Env {
			os.Unsetenv(name)
		}
	}
	group.Wait()
	encoder := json.NewEncoder(out)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", " ")
	return encoder.Encode(answers)
}

func answerOne(factories otelcol.Factories, one testCase, input json.RawMessage) (result answer) {
	defer func() {
		if problem := recover(); problem != nil {
			result = answer{ConsumeError: fmt.Sprintf("panic: %v", problem)}
		}
	}()
	kind, err := component.NewType(one.Component)
	if err != nil {
		return answer{ConfigError: err.Error()}
	}
	core, logged := observer.New(zapcore.InfoLevel)
	telemetry := componenttest.NewNopTelemetrySettings()
	telemetry.Logger = zap.New(core)
	if factory, ok := factories.Processors[kind]; ok {
		config, err := configOf(factory.CreateDefaultConfig(), one.Config)
		if err != nil {
			return answer{ConfigError: err.Error()}
		}
		// A name of its own: resource_detection detects once for each id.
		id := component.NewIDWithName(kind, fmt.Sprintf("%x", sha256.Sum256([]byte(one.ID))))
		settings := processor.Settings{ID: id, TelemetrySettings: telemetry}
		result = runProcessor(factory, settings, config, one, input)
	} else if factory, ok := factories.Exporters[kind]; ok {
		directory := ""
		if strings.Contains(one.Config, "DIRECTORY") {
			if directory, err = os.MkdirTemp("", "reference-"); err != nil {
				return answer{StartError: err.Error()}
			}
			defer os.RemoveAll(directory)
		}
		config, err := configOf(factory.CreateDefaultConfig(), strings.ReplaceAll(one.Config, "DIRECTORY", directory))
		if err != nil {
			return answer{ConfigError: err.Error()}
		}
		settings := exporter.Settings{ID: component.NewID(kind), TelemetrySettings: telemetry}
		result = runExporter(factory, settings, config, one, input)
		if directory != "" {
			result.Files = filesIn(directory)
		}
	} else {
		return answer{ConfigError: "unknown component " + one.Component}
	}
	result.Logs = messages(logged.All(), one.Component == "debug")
	return result
}

// filesIn gives the files below a directory, by their path from there.
func filesIn(directory string) map[string][]byte {
	files := map[string][]byte{}
	_ = filepath.WalkDir(directory, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		files[strings.TrimPrefix(path, directory+"/")] = content
		return err
	})
	return files
}

func messages(entries []observer.LoggedEntry, all bool) []string {
	var texts []string
	for _, entry := range entries {
		if entry.Level < zapcore.WarnLevel && !all {
			continue
		}
		text := entry.Message
		if fields := entry.ContextMap(); all && len(fields) > 0 {
			if encoded, err := json.Marshal(fields); err == nil {
				text += "\t" + string(encoded)
			}
		} else if problem, ok := entry.ContextMap()["error"]; ok {
			text += ": " + fmt.Sprint(problem)
		}
		texts = append(texts, text)
	}
	return texts
}

func configOf(config component.Config, text string) (component.Config, error) {
	values := map[string]any{}
	if err := yaml.Unmarshal([]byte(text), &values); err != nil {
		return nil, err
	}
	if err := confmap.NewFromStringMap(values).Unmarshal(config); err != nil {
		return nil, err
	}
	return config, confmap.Validate(config)
}

func runProcessor(factory processor.Factory, settings processor.Settings, config component.Config, one testCase, input json.RawMessage) answer {
	ctx := context.Background()
	switch one.Signal {
	case "traces":
		sink := new(consumertest.TracesSink)
		made, err := factory.CreateTraces(ctx, settings, config, sink)
		return play(made, err, one, func() error {
			data, err := (&ptrace.JSONUnmarshaler{}).UnmarshalTraces(input)
			if err != nil {
				return err
			}
			return made.ConsumeTraces(ctx, data)
		}, func() ([]byte, error) {
			all := ptrace.NewTraces()
			for _, data := range sink.AllTraces() {
				data.ResourceSpans().MoveAndAppendTo(all.ResourceSpans())
			}
			return (&ptrace.JSONMarshaler{}).MarshalTraces(all)
		})
	case "metrics":
		sink := new(consumertest.MetricsSink)
		made, err := factory.CreateMetrics(ctx, settings, config, sink)
		return play(made, err, one, func() error {
			data, err := (&pmetric.JSONUnmarshaler{}).UnmarshalMetrics(input)
			if err != nil {
				return err
			}
			return made.ConsumeMetrics(ctx, data)
		}, func() ([]byte, error) {
			all := pmetric.NewMetrics()
			for _, data := range sink.AllMetrics() {
				data.ResourceMetrics().MoveAndAppendTo(all.ResourceMetrics())
			}
			return (&pmetric.JSONMarshaler{}).MarshalMetrics(all)
		})
	case "logs":
		sink := new(consumertest.LogsSink)
		made, err := factory.CreateLogs(ctx, settings, config, sink)
		return play(made, err, one, func() error {
			data, err := (&plog.JSONUnmarshaler{}).UnmarshalLogs(input)
			if err != nil {
				return err
			}
			return made.ConsumeLogs(ctx, data)
		}, func() ([]byte, error) {
			all := plog.NewLogs()
			for _, data := range sink.AllLogs() {
				data.ResourceLogs().MoveAndAppendTo(all.ResourceLogs())
			}
			return (&plog.JSONMarshaler{}).MarshalLogs(all)
		})
	}
	return answer{ConfigError: "unknown signal " + one.Signal}
}

func runExporter(factory exporter.Factory, settings exporter.Settings, config component.Config, one testCase, input json.RawMessage) answer {
	ctx := context.Background()
	var made component.Component
	var err error
	var consume func() error
	switch one.Signal {
	case "traces":
		var target consumer.Traces
		made, err = factory.CreateTraces(ctx, settings, config)
		target, _ = made.(consumer.Traces)
		consume = func() error {
			data, err := (&ptrace.JSONUnmarshaler{}).UnmarshalTraces(input)
			if err != nil {
				return err
			}
			return target.ConsumeTraces(ctx, data)
		}
	case "metrics":
		var target consumer.Metrics
		made, err = factory.CreateMetrics(ctx, settings, config)
		target, _ = made.(consumer.Metrics)
		consume = func() error {
			data, err := (&pmetric.JSONUnmarshaler{}).UnmarshalMetrics(input)
			if err != nil {
				return err
			}
			return target.ConsumeMetrics(ctx, data)
		}
	case "logs":
		var target consumer.Logs
		made, err = factory.CreateLogs(ctx, settings, config)
		target, _ = made.(consumer.Logs)
		consume = func() error {
			data, err := (&plog.JSONUnmarshaler{}).UnmarshalLogs(input)
			if err != nil {
				return err
			}
			return target.ConsumeLogs(ctx, data)
		}
	case "profiles":
		supporting, ok := factory.(xexporter.Factory)
		if !ok {
			return answer{CreateError: "telemetry type is not supported"}
		}
		var target xconsumer.Profiles
		made, err = supporting.CreateProfiles(ctx, settings, config)
		target, _ = made.(xconsumer.Profiles)
		consume = func() error {
			data, err := (&pprofile.JSONUnmarshaler{}).UnmarshalProfiles(input)
			if err != nil {
				return err
			}
			return target.ConsumeProfiles(ctx, data)
		}
	}
	return play(made, err, one, consume, func() ([]byte, error) { return nil, nil })
}

// play starts what was made, gives it the input, ends it and collects what came out.
func play(made component.Component, err error, one testCase, consume func() error, collect func() ([]byte, error)) answer {
	ctx := context.Background()
	if err != nil {
		return answer{CreateError: err.Error()}
	}
	if err := made.Start(ctx, componenttest.NewNopHost()); err != nil {
		return answer{StartError: err.Error()}
	}
	var result answer
	for range max(one.Repeat, 1) {
		if err := consume(); err != nil {
			result.ConsumeError = strings.TrimSpace(err.Error())
		}
	}
	time.Sleep(time.Duration(one.WaitMs) * time.Millisecond)
	if err := made.Shutdown(ctx); err != nil {
		result.StartError = err.Error()
	}
	output, err := collect()
	if err != nil {
		result.ConsumeError = err.Error()
	}
	result.Output = output
	return result
}
