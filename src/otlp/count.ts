/**
 * How many items a batch has, by stepping from length to length; nothing is decoded.
 *
 *     traces   request 1 -> 2 -> 2 = Span
 *     logs     request 1 -> 2 -> 2 = LogRecord
 *     metrics  request 1 -> 2 -> 2 = Metric; its 5 gauge, 7 sum, 9 histogram, 10 exponential histogram, 11 summary
 *              each have 1 data_points (repeated)
 *     profiles request 1 -> 2 -> 2 = Profile; its 2 samples (repeated) are counted, as the Collector does
 *
 * All functions throw `MalformedError` when a length leads out of the message around it.
 */
import { field, WireReader } from './wire-reader.js';

const FIRST = field.delimited(1);
const SECOND = field.delimited(2);
const METRIC_DATA: ReadonlySet<number> = new Set([5, 7, 9, 10, 11].map(field.delimited));

export const countSpans = (bytes: Uint8Array): number => countItems(bytes);
export const countLogRecords = (bytes: Uint8Array): number => countItems(bytes);
export const countDataPoints = (bytes: Uint8Array): number => countItems(bytes, countPointsOfMetric);
export const countSamples = (bytes: Uint8Array): number =>
  countItems(bytes, (profile, start, end) => countField(new WireReader(profile, start, end), SECOND));

/** Number of metrics (not data points) in a metrics batch. */
export const countMetrics = (bytes: Uint8Array): number => countItems(bytes);

/** Counts the items that `signal` is measured in: what `Batch.itemCount` holds. */
export function countBatch(signal: 'traces' | 'metrics' | 'logs' | 'profiles', bytes: Uint8Array): number {
  switch (signal) {
    case 'traces':
      return countSpans(bytes);
    case 'logs':
      return countLogRecords(bytes);
    case 'metrics':
      return countDataPoints(bytes);
    case 'profiles':
      return countSamples(bytes);
  }
}

type CountOf = (bytes: Uint8Array, start: number, end: number) => number;

function countItems(bytes: Uint8Array, countOf?: CountOf): number {
  const outer = new WireReader(bytes);
  const middle = new WireReader();
  const inner = new WireReader();
  let count = 0;
  for (let tag = outer.next(); tag !== 0; tag = outer.next()) {
    if (tag !== FIRST) continue;
    middle.reset(bytes, outer.start, outer.pos);
    for (let child = middle.next(); child !== 0; child = middle.next()) {
      if (child !== SECOND) continue;
      inner.reset(bytes, middle.start, middle.pos);
      for (let item = inner.next(); item !== 0; item = inner.next()) {
        if (item === SECOND) count += countOf === undefined ? 1 : countOf(bytes, inner.start, inner.pos);
      }
    }
  }
  return count;
}

/** Data points of the Metric message in `bytes[start, end)`. */
export function countPointsOfMetric(bytes: Uint8Array, start: number, end: number): number {
  const reader = new WireReader(bytes, start, end);
  let count = 0;
  for (let tag = reader.next(); tag !== 0; tag = reader.next()) {
    if (METRIC_DATA.has(tag)) count += countField(new WireReader(bytes, reader.start, reader.pos), FIRST);
  }
  return count;
}

function countField(reader: WireReader, wanted: number): number {
  let count = 0;
  for (let tag = reader.next(); tag !== 0; tag = reader.next()) if (tag === wanted) count++;
  return count;
}
