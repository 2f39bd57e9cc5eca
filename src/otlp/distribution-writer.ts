/**
 * Data points of exponential histograms and summaries straight to bytes; metrics-writer.ts puts them into metrics.
 * Source: opentelemetry-proto v1.11, metrics/v1/metrics.proto.
 *
 *     ExponentialHistogramDataPoint  1 attributes  2 start  3 time  4 count  5 sum  6 scale  7 zero_count  8 positive
 *                                    9 negative  10 flags  11 exemplars  12 min  13 max  14 zero_threshold
 *     Buckets                        1 offset  2 bucket_counts
 *     SummaryDataPoint               7 attributes  2 start  3 time  4 count  5 sum  6 quantile_values  8 flags
 *     ValueAtQuantile                1 quantile  2 value
 */
import { type AttributesInput, writeAttributes } from './attribute-writer.js';
import type { Time64 } from './time.js';
import { field } from './wire-reader.js';
import type { WireWriter } from './wire-writer.js';

/** Buckets side by side: the first one holds values above `base ^ offset`, where `base` is 2 ^ (2 ^ -scale). */
export interface BucketsInput {
  readonly offset: number;
  /** Whole numbers below 2^53. */
  readonly bucketCounts: ArrayLike<number>;
}

interface DistributionPoint {
  readonly attributes?: AttributesInput | undefined;
  /** Since when the point counts. */
  readonly startTime?: Time64 | undefined;
  readonly time: Time64;
  /** Number of measurements, whole, below 2^53. */
  readonly count: number;
  readonly flags?: number | undefined;
}

export interface ExponentialHistogramPoint extends DistributionPoint {
  readonly sum?: number | undefined;
  readonly min?: number | undefined;
  readonly max?: number | undefined;
  /** From -10 to 20: how fine the buckets are. */
  readonly scale: number;
  /** Values whose magnitude is at most `zeroThreshold`. */
  readonly zeroCount?: number | undefined;
  readonly zeroThreshold?: number | undefined;
  readonly positive?: BucketsInput | undefined;
  readonly negative?: BucketsInput | undefined;
}

export interface SummaryPoint extends DistributionPoint {
  readonly sum: number;
  readonly quantiles: readonly {
    /** From 0 to 1. */
    readonly quantile: number;
    readonly value: number;
  }[];
}

const { delimited, fixed64, varint } = field;
const START = fixed64(2);
const TIME = fixed64(3);
const COUNT = fixed64(4);
const SUM = fixed64(5);
const OFFSET = varint(1);
const BUCKET_COUNTS = delimited(2);
const QUANTILE = fixed64(1);
const QUANTILE_VALUE = fixed64(2);

/** Without exemplars: the caller writes them behind, in any place. */
export function writeExponentialPoint(writer: WireWriter, point: ExponentialHistogramPoint): void {
  if (point.attributes !== undefined) writeAttributes(writer, delimited(1), point.attributes);
  writeCommon(writer, point);
  if (point.sum !== undefined) writer.doubleField(SUM, point.sum);
  if (point.scale !== 0) writer.varintField(varint(6), zigzag(point.scale));
  if (point.zeroCount) {
    writer.varint(fixed64(7));
    writeCount(writer, point.zeroCount);
  }
  if (point.positive !== undefined) writeBuckets(writer, delimited(8), point.positive);
  if (point.negative !== undefined) writeBuckets(writer, delimited(9), point.negative);
  if (point.flags) writer.varintField(varint(10), point.flags);
  if (point.min !== undefined) writer.doubleField(fixed64(12), point.min);
  if (point.max !== undefined) writer.doubleField(fixed64(13), point.max);
  if (point.zeroThreshold) writer.doubleField(fixed64(14), point.zeroThreshold);
}

export function writeSummaryPoint(writer: WireWriter, point: SummaryPoint): void {
  writeCommon(writer, point);
  if (point.sum !== 0) writer.doubleField(SUM, point.sum);
  for (const { quantile, value } of point.quantiles) {
    const mark = writer.open(delimited(6), 1);
    if (quantile !== 0) writer.doubleField(QUANTILE, quantile);
    if (value !== 0) writer.doubleField(QUANTILE_VALUE, value);
    writer.close(mark);
  }
  if (point.attributes !== undefined) writeAttributes(writer, delimited(7), point.attributes);
  if (point.flags) writer.varintField(varint(8), point.flags);
}

function writeCommon(writer: WireWriter, { startTime, time, count }: DistributionPoint): void {
  if (startTime !== undefined) writer.timeField(START, startTime);
  writer.timeField(TIME, time);
  writer.varint(COUNT);
  writeCount(writer, count);
}

function writeBuckets(writer: WireWriter, tag: number, { offset, bucketCounts }: BucketsInput): void {
  const mark = writer.open(tag, 2);
  if (offset !== 0) writer.varintField(OFFSET, zigzag(offset));
  if (bucketCounts.length > 0) {
    const counts = writer.open(BUCKET_COUNTS, 2);
    for (let index = 0; index < bucketCounts.length; index++) writer.int64(bucketCounts[index]!);
    writer.close(counts);
  }
  writer.close(mark);
}

/** A `sint32` as its unsigned varint. */
const zigzag = (value: number): number => ((value << 1) ^ (value >> 31)) >>> 0;

/** A whole number below 2^53. */
const writeCount = (writer: WireWriter, value: number): void =>
  writer.fixed64(Math.floor(value / 0x1_0000_0000), value);
