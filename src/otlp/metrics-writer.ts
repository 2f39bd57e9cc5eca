/**
 * Metrics straight to bytes, of all five kinds, with exemplars. Points of exponential histograms and of summaries are
 * written by distribution-writer.ts.
 * Source: opentelemetry-proto v1.11, metrics/v1/metrics.proto.
 *
 *     Metric              1 name  2 description  3 unit  5 gauge  7 sum  9 histogram
 *     Gauge, Sum, Histogram  1 data_points  2 aggregation_temporality  3 is_monotonic (Sum)
 *     NumberDataPoint     7 attributes  2 start  3 time  4 as_double  6 as_int  5 exemplars  8 flags
 *     HistogramDataPoint  9 attributes  2 start  3 time  4 count  5 sum  6 bucket_counts  7 explicit_bounds
 *                         8 exemplars  10 flags  11 min  12 max
 *     Exemplar            7 filtered_attributes  2 time  3 as_double  6 as_int  4 span_id  5 trace_id
 */
import type { AttributesInput } from './attribute-writer.js';
import { writeAttributes } from './attribute-writer.js';
import { BatchWriter } from './batch-writer.js';
import {
  type ExponentialHistogramPoint,
  type SummaryPoint,
  writeExponentialPoint,
  writeSummaryPoint,
} from './distribution-writer.js';
import { SPAN_ID_BYTES, TRACE_ID_BYTES } from './ids.js';
import type { Time64 } from './time.js';
import { field } from './wire-reader.js';
import type { WireWriter } from './wire-writer.js';

/** What a point of a sum or histogram covers: the time since the point before, or since the start of the process. */
export const Temporality = { delta: 1, cumulative: 2 } as const;
export type Temporality = (typeof Temporality)[keyof typeof Temporality];

/** A value is an int or a double by decision of the instrument, not by chance of the number: exactly one is set. */
export type PointValue =
  | { readonly asInt: number | bigint; readonly asDouble?: undefined }
  | { readonly asDouble: number; readonly asInt?: undefined };

export type ExemplarInput = PointValue & {
  readonly time: Time64;
  /** 16 bytes, or their hex. */
  readonly traceId?: string | Uint8Array | undefined;
  /** 8 bytes, or their hex. */
  readonly spanId?: string | Uint8Array | undefined;
  /** Attributes of the measurement that the metric's own attributes do not have. */
  readonly attributes?: AttributesInput | undefined;
};

interface PointInput {
  readonly attributes?: AttributesInput | undefined;
  /** The same as fields of the point, encoded already (`writeAttributes` with the tag of the point's attributes). */
  readonly encodedAttributes?: Uint8Array | undefined;
  /** Since when the point counts. Required for sums and histograms, absent for gauges. */
  readonly startTime?: Time64 | undefined;
  readonly time: Time64;
  readonly exemplars?: readonly ExemplarInput[] | undefined;
  readonly flags?: number | undefined;
}

export type NumberPointInput = PointInput & PointValue;

export interface HistogramPointInput extends PointInput {
  /** Number of measurements, whole, below 2^53. */
  readonly count: number;
  readonly sum?: number | undefined;
  readonly min?: number | undefined;
  readonly max?: number | undefined;
  /** One more than there are bounds, or none. */
  readonly bucketCounts: ArrayLike<number>;
  /** Upper bounds of the buckets, ascending, inclusive; the last bucket has none. */
  readonly explicitBounds: ArrayLike<number>;
}

export interface ExponentialHistogramPointInput extends ExponentialHistogramPoint {
  readonly encodedAttributes?: Uint8Array | undefined;
  readonly exemplars?: readonly ExemplarInput[] | undefined;
}

export interface MetricInput {
  readonly name: string;
  readonly description?: string | undefined;
  /** UCUM, for example `s`, `By`, `{request}`. */
  readonly unit?: string | undefined;
}

export interface SumInput extends MetricInput {
  readonly temporality: Temporality;
  readonly isMonotonic: boolean;
}

export interface HistogramInput extends MetricInput {
  readonly temporality: Temporality;
}

const METRIC = field.delimited(2);
const NAME = field.delimited(1);
const DESCRIPTION = field.delimited(2);
const UNIT = field.delimited(3);
const GAUGE = field.delimited(5);
const SUM = field.delimited(7);
const HISTOGRAM = field.delimited(9);
const EXPONENTIAL_HISTOGRAM = field.delimited(10);
const SUMMARY = field.delimited(11);
const EXPONENTIAL_EXEMPLAR = field.delimited(11);
const DATA_POINT = field.delimited(1);
const TEMPORALITY = field.varint(2);
const IS_MONOTONIC = field.varint(3);
const START = field.fixed64(2);
const TIME = field.fixed64(3);
const NUMBER_DOUBLE = field.fixed64(4);
const NUMBER_INT = field.fixed64(6);
const NUMBER_EXEMPLAR = field.delimited(5);
const NUMBER_ATTRIBUTE = field.delimited(7);
const NUMBER_FLAGS = field.varint(8);
const COUNT = field.fixed64(4);
const HISTOGRAM_SUM = field.fixed64(5);
const BUCKET_COUNTS = field.delimited(6);
const BOUNDS = field.delimited(7);
const HISTOGRAM_EXEMPLAR = field.delimited(8);
const HISTOGRAM_ATTRIBUTE = field.delimited(9);
const HISTOGRAM_FLAGS = field.varint(10);
const MIN = field.fixed64(11);
const MAX = field.fixed64(12);
const EXEMPLAR_ATTRIBUTE = field.delimited(7);
const EXEMPLAR_TIME = field.fixed64(2);
const EXEMPLAR_DOUBLE = field.fixed64(3);
const EXEMPLAR_INT = field.fixed64(6);
const EXEMPLAR_SPAN_ID = field.delimited(4);
const EXEMPLAR_TRACE_ID = field.delimited(5);

/** Builds one metrics request after another; `resource`, `scope` and `finish` work as in `TracesWriter`. */
export class MetricsWriter extends BatchWriter {
  /** Values as they are at a time. */
  gauge(metric: MetricInput, points: Iterable<NumberPointInput>): void {
    this.#metric(metric, GAUGE, points, writeNumberPoint);
  }

  /** Values that add up over time and attributes: counters (monotonic), up-down counters. */
  sum(metric: SumInput, points: Iterable<NumberPointInput>): void {
    this.#metric(metric, SUM, points, writeNumberPoint, (writer) => {
      writer.varintField(TEMPORALITY, metric.temporality);
      if (metric.isMonotonic) writer.varintField(IS_MONOTONIC, 1);
    });
  }

  /** Distributions. Throws `RangeError` when the numbers of buckets and bounds do not fit. */
  histogram(metric: HistogramInput, points: Iterable<HistogramPointInput>): void {
    this.#metric(metric, HISTOGRAM, points, writeHistogramPoint, (writer) => {
      writer.varintField(TEMPORALITY, metric.temporality);
    });
  }

  /** Distributions in buckets of exponential width. */
  exponentialHistogram(metric: HistogramInput, points: Iterable<ExponentialHistogramPointInput>): void {
    const writePoint = (writer: WireWriter, point: ExponentialHistogramPointInput) => {
      writeExponentialPoint(writer, point);
      if (point.encodedAttributes !== undefined) writer.raw(point.encodedAttributes);
      writeExemplars(writer, EXPONENTIAL_EXEMPLAR, point.exemplars);
    };
    this.#metric(metric, EXPONENTIAL_HISTOGRAM, points, writePoint, (writer) => {
      writer.varintField(TEMPORALITY, metric.temporality);
    });
  }

  /** Quantiles that somebody else has computed. They can't be added up; for what comes from such systems only. */
  summary(metric: MetricInput, points: Iterable<SummaryPoint>): void {
    this.#metric(metric, SUMMARY, points, writeSummaryPoint);
  }

  #metric<P>(
    metric: MetricInput,
    dataTag: number,
    points: Iterable<P>,
    writePoint: (writer: WireWriter, point: P) => void,
    writeRest?: (writer: WireWriter) => void,
  ): void {
    const all = [...points];
    const write = (writer: WireWriter) => {
      writer.stringField(NAME, metric.name);
      if (metric.description) writer.stringField(DESCRIPTION, metric.description);
      if (metric.unit) writer.stringField(UNIT, metric.unit);
      const data = writer.open(dataTag, 2);
      for (const point of all) {
        const mark = writer.open(DATA_POINT, 2);
        writePoint(writer, point);
        writer.close(mark);
      }
      writeRest?.(writer);
      writer.close(data);
    };
    this.item(METRIC, metric, write, all.length);
  }
}

function writeNumberPoint(writer: WireWriter, point: NumberPointInput): void {
  if (point.startTime !== undefined) writer.timeField(START, point.startTime);
  writer.timeField(TIME, point.time);
  writeValue(writer, point, NUMBER_DOUBLE, NUMBER_INT);
  writeExemplars(writer, NUMBER_EXEMPLAR, point.exemplars);
  if (point.attributes !== undefined) writeAttributes(writer, NUMBER_ATTRIBUTE, point.attributes);
  if (point.encodedAttributes !== undefined) writer.raw(point.encodedAttributes);
  if (point.flags) writer.varintField(NUMBER_FLAGS, point.flags);
}

function writeHistogramPoint(writer: WireWriter, point: HistogramPointInput): void {
  const { bucketCounts, explicitBounds } = point;
  const isEmpty = bucketCounts.length === 0 && explicitBounds.length === 0;
  if (!isEmpty && bucketCounts.length !== explicitBounds.length + 1) {
    throw new RangeError(
      `${explicitBounds.length} bounds need ${explicitBounds.length + 1} buckets, got ${bucketCounts.length}.`,
    );
  }
  if (point.startTime !== undefined) writer.timeField(START, point.startTime);
  writer.timeField(TIME, point.time);
  writer.varint(COUNT);
  writeCount(writer, point.count);
  if (point.sum !== undefined) writer.doubleField(HISTOGRAM_SUM, point.sum);
  if (bucketCounts.length > 0) {
    writer.varint(BUCKET_COUNTS);
    writer.varint(8 * bucketCounts.length);
    for (let index = 0; index < bucketCounts.length; index++) writeCount(writer, bucketCounts[index]!);
  }
  if (explicitBounds.length > 0) {
    writer.varint(BOUNDS);
    writer.varint(8 * explicitBounds.length);
    for (let index = 0; index < explicitBounds.length; index++) writer.double(explicitBounds[index]!);
  }
  writeExemplars(writer, HISTOGRAM_EXEMPLAR, point.exemplars);
  if (point.attributes !== undefined) writeAttributes(writer, HISTOGRAM_ATTRIBUTE, point.attributes);
  if (point.encodedAttributes !== undefined) writer.raw(point.encodedAttributes);
  if (point.flags) writer.varintField(HISTOGRAM_FLAGS, point.flags);
  if (point.min !== undefined) writer.doubleField(MIN, point.min);
  if (point.max !== undefined) writer.doubleField(MAX, point.max);
}

function writeExemplars(
  writer: WireWriter,
  tag: number,
  exemplars: readonly ExemplarInput[] | undefined,
): void {
  for (const exemplar of exemplars ?? []) {
    const mark = writer.open(tag, 1);
    writer.timeField(EXEMPLAR_TIME, exemplar.time);
    writeValue(writer, exemplar, EXEMPLAR_DOUBLE, EXEMPLAR_INT);
    if (exemplar.spanId !== undefined) writer.idField(EXEMPLAR_SPAN_ID, exemplar.spanId, SPAN_ID_BYTES);
    if (exemplar.traceId !== undefined) writer.idField(EXEMPLAR_TRACE_ID, exemplar.traceId, TRACE_ID_BYTES);
    if (exemplar.attributes !== undefined) {
      writeAttributes(writer, EXEMPLAR_ATTRIBUTE, exemplar.attributes);
    }
    writer.close(mark);
  }
}

function writeValue(writer: WireWriter, value: PointValue, doubleTag: number, intTag: number): void {
  if (value.asDouble !== undefined) writer.doubleField(doubleTag, value.asDouble);
  else {
    writer.varint(intTag);
    if (typeof value.asInt === 'bigint') {
      writer.fixed64(Number((value.asInt >> 32n) & 0xffff_ffffn), Number(value.asInt & 0xffff_ffffn));
    } else writeCount(writer, value.asInt);
  }
}

/** A whole number below 2^53 in either direction, as 64 bits of two's complement. */
function writeCount(writer: WireWriter, value: number): void {
  writer.fixed64(Math.floor(value / 0x1_0000_0000), value);
}
