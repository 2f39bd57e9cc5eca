/** Adds one histogram data point to another one with the same attributes, time and bounds (or scale). */
import { MessageNode } from '../../../otlp/message-node.js';
import { packFixed64s, packVarints, readFixed64s, readVarints } from '../../../otlp/packed.js';
import { field } from '../../../otlp/wire-reader.js';
import { OttlError } from '../../values.js';
import { appendMessage, COUNT, TOTAL } from './build.js';
import { unzigzag } from './explicit.js';

const COUNTS = field.delimited(6);
const HISTOGRAM_EXEMPLARS = field.delimited(8);
const HISTOGRAM_MIN = field.fixed64(11);
const HISTOGRAM_MAX = field.fixed64(12);
const ZERO_COUNT = field.fixed64(7);
const POSITIVE = field.delimited(8);
const NEGATIVE = field.delimited(9);
const EXPONENTIAL_EXEMPLARS = field.delimited(11);
const EXPONENTIAL_MIN = field.fixed64(12);
const EXPONENTIAL_MAX = field.fixed64(13);
const OFFSET = field.varint(1);
const BUCKETS = field.delimited(2);
/** Buckets further apart than this are not brought together: the list between them would be mostly zeros. */
const MAX_BUCKETS = 100_000;

export function mergeHistogramPoint(into: MessageNode, other: MessageNode): void {
  if (other.uint64(COUNT) === 0n) return;
  addTotals(into, other, HISTOGRAM_MIN, HISTOGRAM_MAX, HISTOGRAM_EXEMPLARS);
  const counts = readFixed64s(into.content(COUNTS));
  const added = readFixed64s(other.content(COUNTS));
  if (added.length > counts.length)
    throw new OttlError('histogram data points have different numbers of buckets');
  for (const [index, count] of added.entries()) counts[index]! += count;
  if (counts.length > 0) into.setContent(COUNTS, packFixed64s(counts));
}

export function mergeExponentialPoint(into: MessageNode, other: MessageNode): void {
  if (other.uint64(COUNT) === 0n) return;
  addTotals(into, other, EXPONENTIAL_MIN, EXPONENTIAL_MAX, EXPONENTIAL_EXEMPLARS);
  into.setInteger(ZERO_COUNT, into.uint64(ZERO_COUNT) + other.uint64(ZERO_COUNT));
  for (const tag of [POSITIVE, NEGATIVE]) addBuckets(into, other, tag);
}

function addTotals(into: MessageNode, other: MessageNode, min: number, max: number, exemplars: number): void {
  into.setInteger(COUNT, into.uint64(COUNT) + other.uint64(COUNT));
  into.setDouble(TOTAL, (into.double(TOTAL) ?? 0) + (other.double(TOTAL) ?? 0));
  const [least, most] = [into.double(min), into.double(max)];
  if (least !== undefined) into.setDouble(min, Math.min(least, other.double(min) ?? 0));
  if (most !== undefined) into.setDouble(max, Math.max(most, other.double(max) ?? 0));
  if (other.has(exemplars)) for (const one of other.children(exemplars)) appendMessage(into, exemplars, one);
}

function addBuckets(into: MessageNode, other: MessageNode, tag: number): void {
  const added = bucketsOf(other, tag);
  if (added.counts.length === 0) return;
  const own = bucketsOf(into, tag);
  const start = own.counts.length === 0 ? added.offset : Math.min(own.offset, added.offset);
  const end = Math.max(own.offset + own.counts.length, added.offset + added.counts.length);
  if (end - start > MAX_BUCKETS) throw new OttlError(`merged data point would have ${end - start} buckets`);
  const counts = new Array<bigint>(end - start).fill(0n);
  for (const { offset, counts: list } of [own, added]) {
    for (const [index, count] of list.entries()) counts[offset - start + index]! += count;
  }
  const buckets = new MessageNode(new Uint8Array(0));
  buckets.setInteger(OFFSET, BigInt(((start << 1) ^ (start >> 31)) >>> 0));
  buckets.setContent(BUCKETS, packVarints(counts));
  into.setContent(tag, buckets.encode());
}

function bucketsOf(point: MessageNode, tag: number) {
  const node = new MessageNode(point.content(tag));
  return { offset: unzigzag(node.uint32(OFFSET)), counts: readVarints(node.content(BUCKETS)) };
}
