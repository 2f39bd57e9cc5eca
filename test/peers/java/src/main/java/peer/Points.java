// SPDX-License-Identifier: Apache-2.0
package peer;

import io.opentelemetry.sdk.metrics.data.AggregationTemporality;
import io.opentelemetry.sdk.metrics.data.DoubleExemplarData;
import io.opentelemetry.sdk.metrics.data.DoublePointData;
import io.opentelemetry.sdk.metrics.data.ExemplarData;
import io.opentelemetry.sdk.metrics.data.ExponentialHistogramBuckets;
import io.opentelemetry.sdk.metrics.data.ExponentialHistogramPointData;
import io.opentelemetry.sdk.metrics.data.HistogramPointData;
import io.opentelemetry.sdk.metrics.data.LongExemplarData;
import io.opentelemetry.sdk.metrics.data.LongPointData;
import io.opentelemetry.sdk.metrics.data.MetricData;
import io.opentelemetry.sdk.metrics.data.PointData;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The data points of a metric as they are told. */
final class Points {
  static List<Map<String, Object>> of(MetricData metric) {
    Map<String, Object> about = new LinkedHashMap<>();
    about.put("name", metric.getName());
    about.put("description", metric.getDescription());
    about.put("unit", metric.getUnit());
    about.put("temporality", 0);
    about.put("monotonic", false);
    switch (metric.getType()) {
      case LONG_SUM:
        about.put("type", "sum");
        about.put("temporality", number(metric.getLongSumData().getAggregationTemporality()));
        about.put("monotonic", metric.getLongSumData().isMonotonic());
        break;
      case DOUBLE_SUM:
        about.put("type", "sum");
        about.put("temporality", number(metric.getDoubleSumData().getAggregationTemporality()));
        about.put("monotonic", metric.getDoubleSumData().isMonotonic());
        break;
      case LONG_GAUGE:
      case DOUBLE_GAUGE:
        about.put("type", "gauge");
        break;
      case HISTOGRAM:
        about.put("type", "histogram");
        about.put("temporality", number(metric.getHistogramData().getAggregationTemporality()));
        break;
      case EXPONENTIAL_HISTOGRAM:
        about.put("type", "exponential_histogram");
        about.put("temporality", number(metric.getExponentialHistogramData().getAggregationTemporality()));
        break;
      default:
        throw new IllegalArgumentException("no such metric type: " + metric.getType());
    }
    List<Map<String, Object>> points = new ArrayList<>();
    for (PointData point : metric.getData().getPoints()) points.add(point(about, point));
    return points;
  }

  private static Map<String, Object> point(Map<String, Object> about, PointData point) {
    Map<String, Object> told = new LinkedHashMap<>();
    told.put("metric", about);
    told.put("attributes", Tell.attributes(point.getAttributes()));
    told.put("start", Long.toString(point.getStartEpochNanos()));
    told.put("time", Long.toString(point.getEpochNanos()));
    if (point instanceof LongPointData) told.put("value", Tell.value(((LongPointData) point).getValue()));
    if (point instanceof DoublePointData) told.put("value", Tell.value(((DoublePointData) point).getValue()));
    if (point instanceof HistogramPointData) {
      HistogramPointData histogram = (HistogramPointData) point;
      told.put("count", Long.toString(histogram.getCount()));
      told.put("sum", histogram.getSum());
      if (histogram.hasMin()) told.put("min", histogram.getMin());
      if (histogram.hasMax()) told.put("max", histogram.getMax());
      told.put("bounds", histogram.getBoundaries());
      told.put("counts", counts(histogram.getCounts()));
    }
    if (point instanceof ExponentialHistogramPointData) {
      ExponentialHistogramPointData histogram = (ExponentialHistogramPointData) point;
      told.put("count", Long.toString(histogram.getCount()));
      told.put("sum", histogram.getSum());
      if (histogram.hasMin()) told.put("min", histogram.getMin());
      if (histogram.hasMax()) told.put("max", histogram.getMax());
      told.put("scale", histogram.getScale());
      told.put("zeroCount", Long.toString(histogram.getZeroCount()));
      told.put("positive", buckets(histogram.getPositiveBuckets()));
      told.put("negative", buckets(histogram.getNegativeBuckets()));
    }
    List<Object> exemplars = new ArrayList<>();
    for (ExemplarData exemplar : point.getExemplars()) exemplars.add(exemplar(exemplar));
    if (!exemplars.isEmpty()) told.put("exemplars", exemplars);
    return told;
  }

  private static Map<String, Object> exemplar(ExemplarData exemplar) {
    Object value =
        exemplar instanceof LongExemplarData
            ? (Object) ((LongExemplarData) exemplar).getValue()
            : (Object) ((DoubleExemplarData) exemplar).getValue();
    return Map.of(
        "time", Long.toString(exemplar.getEpochNanos()),
        "value", Tell.value(value),
        "attributes", Tell.attributes(exemplar.getFilteredAttributes()),
        "traceId", Tell.traceId(exemplar.getSpanContext()),
        "spanId", Tell.spanId(exemplar.getSpanContext()));
  }

  private static Map<String, Object> buckets(ExponentialHistogramBuckets buckets) {
    return Map.of("offset", buckets.getOffset(), "counts", counts(buckets.getBucketCounts()));
  }

  private static List<String> counts(List<Long> counts) {
    List<String> told = new ArrayList<>();
    for (Long count : counts) told.add(count.toString());
    return told;
  }

  private static int number(AggregationTemporality temporality) {
    return temporality == AggregationTemporality.DELTA ? 1 : 2;
  }

  private Points() {}
}
