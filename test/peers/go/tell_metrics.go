// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"go.opentelemetry.io/otel/attribute"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/trace"
)

type tellingMetrics struct{ sdkmetric.Exporter }

func (t tellingMetrics) Export(ctx context.Context, metrics *metricdata.ResourceMetrics) error {
	for _, scope := range metrics.ScopeMetrics {
		for _, metric := range scope.Metrics {
			for _, point := range pointsOf(metric) {
				told := originOf("metrics", metrics.Resource, scope.Scope)
				for key, value := range point {
					told[key] = value
				}
				if err := tell(told); err != nil {
					return err
				}
			}
		}
	}
	return t.Exporter.Export(ctx, metrics)
}

// OTLP counts the temporalities otherwise than the SDK.
var temporalities = map[metricdata.Temporality]int{metricdata.DeltaTemporality: 1, metricdata.CumulativeTemporality: 2}

func pointsOf(metric metricdata.Metrics) []item {
	about := item{
		"name": metric.Name, "description": metric.Description, "unit": metric.Unit, "temporality": 0, "monotonic": false,
	}
	var points []item
	switch data := metric.Data.(type) {
	case metricdata.Sum[int64]:
		about["type"], about["temporality"], about["monotonic"] = "sum", temporalities[data.Temporality], data.IsMonotonic
		points = numbersOf(data.DataPoints)
	case metricdata.Sum[float64]:
		about["type"], about["temporality"], about["monotonic"] = "sum", temporalities[data.Temporality], data.IsMonotonic
		points = numbersOf(data.DataPoints)
	case metricdata.Gauge[float64]:
		about["type"] = "gauge"
		points = numbersOf(data.DataPoints)
	case metricdata.Histogram[float64]:
		about["type"], about["temporality"] = "histogram", temporalities[data.Temporality]
		for _, point := range data.DataPoints {
			told := pointOf(point.Attributes, point.StartTime, point.Time, point.Exemplars)
			addDistribution(told, point.Count, point.Sum, point.Min, point.Max)
			told["bounds"], told["counts"] = point.Bounds, countsOf(point.BucketCounts)
			points = append(points, told)
		}
	case metricdata.ExponentialHistogram[float64]:
		about["type"], about["temporality"] = "exponential_histogram", temporalities[data.Temporality]
		for _, point := range data.DataPoints {
			told := pointOf(point.Attributes, point.StartTime, point.Time, point.Exemplars)
			addDistribution(told, point.Count, point.Sum, point.Min, point.Max)
			told["scale"], told["zeroCount"] = point.Scale, strconv.FormatUint(point.ZeroCount, 10)
			told["positive"] = item{"offset": point.PositiveBucket.Offset, "counts": countsOf(point.PositiveBucket.Counts)}
			told["negative"] = item{"offset": point.NegativeBucket.Offset, "counts": countsOf(point.NegativeBucket.Counts)}
			points = append(points, told)
		}
	default:
		panic(fmt.Sprintf("no such metric data: %T", data))
	}
	for _, point := range points {
		point["metric"] = about
	}
	return points
}

func numbersOf[N int64 | float64](data []metricdata.DataPoint[N]) (points []item) {
	for _, point := range data {
		told := pointOf(point.Attributes, point.StartTime, point.Time, point.Exemplars)
		told["value"] = numberOf(point.Value)
		points = append(points, told)
	}
	return points
}

func numberOf[N int64 | float64](number N) any {
	if whole, ok := any(number).(int64); ok {
		return valueOf(attribute.Int64Value(whole))
	}
	return valueOf(attribute.Float64Value(float64(number)))
}

func pointOf[N int64 | float64](
	attributes attribute.Set, start, at time.Time, exemplars []metricdata.Exemplar[N],
) item {
	told := item{"attributes": attributesOf(attributes.ToSlice()), "start": nanos(start), "time": nanos(at)}
	if len(exemplars) == 0 {
		return told
	}
	var all []item
	for _, one := range exemplars {
		all = append(all, item{
			"time": nanos(one.Time), "value": numberOf(one.Value), "attributes": attributesOf(one.FilteredAttributes),
			"traceId": traceIDOf(trace.TraceID(one.TraceID)), "spanId": spanIDOf(trace.SpanID(one.SpanID)),
		})
	}
	told["exemplars"] = all
	return told
}

func addDistribution(told item, count uint64, sum float64, low, high metricdata.Extrema[float64]) {
	told["count"], told["sum"] = strconv.FormatUint(count, 10), sum
	if value, ok := low.Value(); ok {
		told["min"] = value
	}
	if value, ok := high.Value(); ok {
		told["max"] = value
	}
}

func countsOf(counts []uint64) []string {
	told := []string{}
	for _, count := range counts {
		told = append(told, strconv.FormatUint(count, 10))
	}
	return told
}
