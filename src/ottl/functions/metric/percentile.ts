/**
 * `extract_percentile_metric`: a gauge with a percentile of each histogram data point. Source: transformprocessor README.
 * Within a bucket values are taken to be spread evenly (explicit bounds) or evenly by logarithm (exponential buckets).
 */
import { plainDoubleText } from '../../../go/values.js';
import { MessageNode } from '../../../otlp/message-node.js';
import { DATA_POINT, kindOfMetric } from '../../../otlp/metric-points.js';
import { readDoubles, readFixed64s, readVarints } from '../../../otlp/packed.js';
import { field } from '../../../otlp/wire-reader.js';
import { OttlError } from '../../values.js';
import type { EditorDef } from '../function.js';
import {
  AS_DOUBLE,
  appendMetric,
  COUNT,
  DESCRIPTION,
  GAUGE,
  metricLike,
  NAME,
  numberPointLike,
  setData,
} from './build.js';
import { unzigzag } from './explicit.js';

const COUNTS = field.delimited(6);
const BOUNDS = field.delimited(7);
const MIN = field.fixed64(11);
const MAX = field.fixed64(12);
const SCALE = field.varint(6);
const ZERO_COUNT = field.fixed64(7);
const POSITIVE = field.delimited(8);
const NEGATIVE = field.delimited(9);
const ZERO_THRESHOLD = field.fixed64(14);
const OFFSET = field.varint(1);
const BUCKETS = field.delimited(2);

export const PERCENTILE: Readonly<Record<string, EditorDef>> = {
  extract_percentile_metric: {
    parameters: ['percentile', 'suffix?'],
    build: (args) => {
      const percentile = args.literalDouble(0);
      const word = `p${plainDoubleText(percentile)}`;
      const suffix = args.literalText(1, '') || `_${word}`;
      if (!(percentile > 0 && percentile < 100)) {
        throw new Error(`percentile must be greater than 0 and less than 100, got ${percentile.toFixed(6)}`);
      }
      return (context) => {
        const metric = context.item!;
        const kind = kindOfMetric(metric);
        if (kind?.name !== 'histogram' && kind?.name !== 'exponential_histogram') return;
        const calculate = kind.name === 'histogram' ? ofHistogram : ofExponential;
        const points = metric
          .child(kind.tag)
          .children(DATA_POINT)
          .flatMap((point) => {
            const value = calculate(point, percentile);
            if (value === undefined) return [];
            const number = numberPointLike(point, kind);
            number.setDouble(AS_DOUBLE, value);
            return [number];
          });
        if (points.length === 0) return;
        const made = metricLike(metric, metric.text(NAME) + suffix);
        const description = metric.text(DESCRIPTION);
        made.setText(DESCRIPTION, description === '' ? word : `${description} (${word})`);
        setData(made, GAUGE, points);
        appendMetric(context, made);
      };
    },
  },
};

/** How many of the smallest values the percentile covers. */
const targetOf = (count: bigint, percentile: number): bigint =>
  BigInt(Math.ceil(Number(count) * (percentile / 100)));

/** Undefined for a point that says too little. */
function ofHistogram(point: MessageNode, percentile: number): number | undefined {
  const count = point.uint64(COUNT);
  const counts = readFixed64s(point.content(COUNTS));
  const bounds = readDoubles(point.content(BOUNDS));
  if (count === 0n || counts.length === 0) return undefined;
  if (counts.length !== bounds.length + 1) {
    throw new OttlError(
      `calculating histogram percentile: malformed data: bucketCounts length (${counts.length}) != explicitBounds length (${bounds.length}) + 1`,
    );
  }
  const target = targetOf(count, percentile);
  const [min, max] = [point.double(MIN), point.double(MAX)];
  if (bounds.length === 0) {
    if (min === undefined || max === undefined) return undefined;
    return linear(min, max, Number(target) / Number(counts[0]!));
  }
  let before = 0n;
  for (const [index, own] of counts.entries()) {
    if (before + own < target) {
      before += own;
      continue;
    }
    const ratio = Number(target - before) / Number(own);
    if (index === 0) {
      const upper = bounds[0]!;
      if (min !== undefined && min < upper) return linear(min, upper, ratio);
      return upper < 0 ? upper : linear(0, upper, ratio);
    }
    const lower = bounds[index - 1]!;
    if (index < bounds.length) return linear(lower, bounds[index]!, ratio);
    return max === undefined || max <= lower ? lower : linear(lower, max, ratio);
  }
  return tooFew('histogram', target, before);
}

function ofExponential(point: MessageNode, percentile: number): number | undefined {
  const count = point.uint64(COUNT);
  const positive = bucketsOf(point, POSITIVE);
  const negative = bucketsOf(point, NEGATIVE);
  const zeros = point.uint64(ZERO_COUNT);
  if (count === 0n || (positive.counts.length === 0 && negative.counts.length === 0 && zeros === 0n)) {
    return undefined;
  }
  const target = targetOf(count, percentile);
  const scale = unzigzag(point.uint32(SCALE));
  let before = 0n;
  for (let index = negative.counts.length - 1; index >= 0; index--) {
    const own = negative.counts[index]!;
    if (before + own >= target) {
      const ratio = Number(target - before) / Number(own);
      const [lower, upper] = boundsOf(negative.offset + index, scale);
      return -logarithmic(lower, upper, 1 - ratio);
    }
    before += own;
  }
  if (before + zeros >= target) {
    const threshold = point.double(ZERO_THRESHOLD) ?? 0;
    const lower = negative.counts.length === 0 && positive.counts.length > 0 ? 0 : -threshold;
    const upper = positive.counts.length === 0 && negative.counts.length > 0 ? 0 : threshold;
    return linear(lower, upper, Number(target - before) / Number(zeros));
  }
  before += zeros;
  for (const [index, own] of positive.counts.entries()) {
    if (before + own >= target) {
      return logarithmic(...boundsOf(positive.offset + index, scale), Number(target - before) / Number(own));
    }
    before += own;
  }
  return tooFew('exponential histogram', target, before);
}

function tooFew(what: string, target: bigint, total: bigint): never {
  throw new OttlError(
    `calculating ${what} percentile: malformed data: cumulative count doesn't reach target count corresponding to percentile. targetCount=${target}, total count=${total}`,
  );
}

function bucketsOf(point: MessageNode, tag: number) {
  const node = new MessageNode(point.content(tag));
  return { offset: unzigzag(node.uint32(OFFSET)), counts: readVarints(node.content(BUCKETS)) };
}

/** Bounds of the bucket with that index. Source: metrics data model, "Exponential buckets". */
function boundsOf(index: number, scale: number): [number, number] {
  const bound = (at: number) =>
    scale <= 0 ? 2 ** (at * 2 ** -scale) : Math.exp(at * (Math.LN2 * 2 ** -scale));
  return [bound(index), bound(index + 1)];
}

function linear(lower: number, upper: number, ratio: number): number {
  checkRatio('linear', ratio);
  return lower + ratio * (upper - lower);
}

function logarithmic(lower: number, upper: number, ratio: number): number {
  checkRatio('logarithmic', ratio);
  if (lower <= 0 || upper <= 0) {
    throw new OttlError(
      `logarithmic interpolation: bounds must be positive, got lowerBound=${lower.toFixed(6)}, upperBound=${upper.toFixed(6)}`,
    );
  }
  const from = Math.log2(lower);
  return 2 ** (from + (Math.log2(upper) - from) * ratio);
}

function checkRatio(name: string, ratio: number): void {
  if (ratio >= 0 && ratio <= 1) return;
  throw new OttlError(`${name} interpolation: invalid ratio ${ratio.toFixed(6)}, must be between 0 and 1`);
}
