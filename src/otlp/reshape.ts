/**
 * Batches put together, cut apart, sorted by resource and thinned out, without decoding items.
 *
 * All functions keep items byte by byte, and the headers of their groups (resource, scope, schema URL, unknown fields)
 * with them. They throw `MalformedError` when the structure is broken.
 */
import { countBatch, countPointsOfMetric } from './count.js';
import {
  forEachField,
  type Group,
  GroupWriter,
  headerKey,
  type Item,
  readGroup,
  walkItems,
} from './groups.js';
import { type SpanView, walkSpans } from './trace-view.js';
import { field, WireReader } from './wire-reader.js';

type SignalName = 'traces' | 'metrics' | 'logs' | 'profiles';

const FIRST = field.delimited(1);
const METRIC_DATA: ReadonlySet<number> = new Set([5, 7, 9, 10, 11].map(field.delimited));

/**
 * One batch with the items of all, in order. Requests are lists at the top, so this is concatenation. Not for profiles,
 * whose samples point into a dictionary that each batch has for itself.
 */
export function mergeBatches(batches: readonly Uint8Array[]): Uint8Array {
  if (batches.length === 1) return batches[0]!;
  let size = 0;
  for (const batch of batches) size += batch.length;
  const merged = new Uint8Array(size);
  let at = 0;
  for (const batch of batches) {
    merged.set(batch, at);
    at += batch.length;
  }
  return merged;
}

/** At least one limit. A part exceeds `maxBytes` only when a single item does. */
export interface SplitLimits {
  /** Spans, data points, log records or samples. */
  readonly maxItems?: number | undefined;
  readonly maxBytes?: number | undefined;
}

/** One part of a split batch. */
export interface BatchPart {
  readonly bytes: Uint8Array;
  readonly itemCount: number;
}

/**
 * Cuts a batch into parts within the limits, in order. A metric with more data points than fit is cut too; a profile is
 * not. A batch that is within the limits comes back as it is. No items, no parts.
 */
export function splitBatch(signal: SignalName, bytes: Uint8Array, limits: SplitLimits): BatchPart[] {
  const { maxItems = Number.POSITIVE_INFINITY, maxBytes = Number.POSITIVE_INFINITY } = limits;
  if (!(maxItems >= 1 && maxBytes >= 1)) throw new RangeError('Limits of a split must be at least 1.');
  const itemCount = countBatch(signal, bytes);
  if (itemCount === 0) return [];
  if (itemCount <= maxItems && bytes.length <= maxBytes) return [{ bytes, itemCount }];

  const parts: BatchPart[] = [];
  const writer = new GroupWriter();
  let count = 0;
  const finishPart = () => {
    parts.push({ bytes: writer.finish(), itemCount: count });
    count = 0;
  };
  const fits = (group: Group, size: number, weight: number) =>
    count + weight <= maxItems && writer.sizeWith(group, size) <= maxBytes;
  const add = (group: Group, item: Item, weight: number) => {
    if (!writer.isEmpty && !fits(group, item.end - item.fieldStart, weight)) finishPart();
    writer.add(group, item.fieldStart, item.end);
    count += weight;
  };

  walkItems(bytes, (item, scope) => {
    if (signal === 'metrics') {
      const points = countPointsOfMetric(bytes, item.start, item.end);
      const size = item.end - item.fieldStart;
      if (points > 1 && !fits(scope, size, points)) {
        forEachPoint(bytes, item, scope, (data, point) => add(data, point, 1));
      } else add(scope, item, points);
    } else if (signal === 'profiles') add(scope, item, countSamplesOf(bytes, item));
    else add(scope, item, 1);
  });
  if (!writer.isEmpty) finishPart();
  return parts;
}

/** Visits the data points of a Metric with the group (Gauge, Sum and so on, inside the Metric) they lie in. */
function forEachPoint(
  bytes: Uint8Array,
  metric: Item,
  scope: Group,
  visit: (data: Group, point: Item) => void,
): void {
  const reader = new WireReader(bytes, metric.start, metric.end);
  for (let tag = reader.next(); tag !== 0; tag = reader.next()) {
    if (!METRIC_DATA.has(tag)) continue;
    const itemTag = field.delimited(2);
    const metricGroup = readGroup(bytes, scope, itemTag, metric.start, metric.end, tag);
    const data = readGroup(bytes, metricGroup, tag, reader.start, reader.pos, FIRST);
    forEachField(bytes, reader.start, reader.pos, FIRST, (point) => visit(data, point));
  }
}

function countSamplesOf(bytes: Uint8Array, profile: Item): number {
  let samples = 0;
  forEachField(bytes, profile.start, profile.end, field.delimited(2), () => samples++);
  return samples;
}

/**
 * Puts items of equal resources into one group, and within it items of equal scopes. Resources are equal when all their
 * bytes are; the order is that of first appearance. Makes merged batches of one sender small again.
 */
export function regroupByResource(bytes: Uint8Array): Uint8Array {
  const resources = new Map<string, { group: Group; scopes: Map<string, { group: Group; items: Item[] }> }>();
  let lastScope: Group | undefined;
  let lastItems: Item[] = [];
  walkItems(bytes, (item, scope) => {
    if (scope !== lastScope) {
      const resource = scope.parent!;
      const resourceKey = headerKey(resource);
      let entry = resources.get(resourceKey);
      if (entry === undefined) {
        entry = { group: resource, scopes: new Map() };
        resources.set(resourceKey, entry);
      }
      const scopeKey = headerKey(scope);
      let inner = entry.scopes.get(scopeKey);
      if (inner === undefined) {
        inner = { group: { ...scope, parent: entry.group }, items: [] };
        entry.scopes.set(scopeKey, inner);
      }
      lastScope = scope;
      lastItems = inner.items;
    }
    lastItems.push(item);
  });
  const writer = new GroupWriter(bytes.length + 64);
  for (const { scopes } of resources.values()) {
    for (const { group, items } of scopes.values()) {
      for (const item of items) writer.add(group, item.fieldStart, item.end);
    }
  }
  return writer.finish();
}

/**
 * The spans for which `keep` is true. Groups that become empty go away. Gives `bytes` itself when all are kept. The view
 * is the same object every time, as in `walkSpans`.
 */
export function filterSpans(bytes: Uint8Array, keep: (span: SpanView) => boolean): BatchPart {
  const kept: boolean[] = [];
  let itemCount = 0;
  walkSpans(bytes, (span) => {
    const isKept = keep(span);
    kept.push(isKept);
    if (isKept) itemCount++;
  });
  if (itemCount === kept.length) return { bytes, itemCount };
  const writer = new GroupWriter(bytes.length);
  let index = 0;
  walkItems(bytes, (item, scope) => {
    if (kept[index++]) writer.add(scope, item.fieldStart, item.end);
  });
  return { bytes: writer.finish(), itemCount };
}
