/** `merge_histogram_buckets`: fewer buckets in a histogram data point. Source: transformprocessor README. */
import { doubleText } from '../../../go/values.js';
import type { MessageNode } from '../../../otlp/message-node.js';
import { packDoubles, packFixed64s, readDoubles, readFixed64s } from '../../../otlp/packed.js';
import { field } from '../../../otlp/wire-reader.js';
import { OttlError } from '../../values.js';
import type { EditorDef } from '../function.js';
import { toDouble } from '../type-converters.js';

const COUNTS = field.delimited(6);
const BOUNDS = field.delimited(7);
/** Bounds nearer to each other than this are the same. */
const EPSILON = 1e-12;

const METHODS = ['remove_explicit_bound', 'limit_buckets'];

export const BUCKETS: Readonly<Record<string, EditorDef>> = {
  merge_histogram_buckets: {
    parameters: ['target_value', 'method?'],
    build: (args) => {
      const method = args.literalText(1, METHODS[0]);
      if (!METHODS.includes(method)) {
        throw new Error(`unsupported method "${method}", expected "${METHODS[0]}" or "${METHODS[1]}"`);
      }
      const target = args.value(0);
      const literal = args.constant(0);
      if (literal !== undefined) check(toDouble(literal), method, Error);
      return (context) => {
        if (context.metricKind!.name !== 'histogram') return;
        const wanted = check(toDouble(target(context)), method, OttlError);
        const point = context.part!;
        const counts = readFixed64s(point.content(COUNTS));
        const bounds = readDoubles(point.content(BOUNDS));
        if (bounds.length + 1 !== counts.length || counts.length === 1) return;
        if (method === METHODS[0]) removeBound(point, bounds, counts, wanted);
        else limitBuckets(point, bounds, counts, wanted);
      };
    },
  },
};

function check(target: number | null, method: string, error: new (message: string) => Error): number {
  if (target === null) throw new error('target_value must not be nil');
  if (method !== METHODS[0] && !(target >= 1 && Math.trunc(target) === target && target <= 2 ** 63)) {
    throw new error(
      `target_value must be a positive integer when method is "${method}", got ${doubleText(target)}`,
    );
  }
  return target;
}

function removeBound(point: MessageNode, bounds: number[], counts: bigint[], wanted: number): void {
  const index = bounds.findIndex((bound) => Math.abs(bound - wanted) < EPSILON);
  if (index < 0) return;
  counts[index + 1]! += counts[index]!;
  counts.splice(index, 1);
  bounds.splice(index, 1);
  setBuckets(point, bounds, counts);
}

function limitBuckets(point: MessageNode, bounds: number[], counts: bigint[], most: number): void {
  if (counts.length <= most || bounds.some((bound, at) => at > 0 && !(bound > bounds[at - 1]!))) return;
  const step = Math.ceil(counts.length / most);
  const merged: bigint[] = [];
  for (let at = 0; at < counts.length; at += step) {
    merged.push(counts.slice(at, at + step).reduce((sum, count) => sum + count, 0n));
  }
  setBuckets(
    point,
    bounds.filter((_, at) => at % step === step - 1),
    merged,
  );
}

function setBuckets(point: MessageNode, bounds: readonly number[], counts: readonly bigint[]): void {
  if (bounds.length === 0) point.remove(BOUNDS);
  else point.setContent(BOUNDS, packDoubles(bounds));
  point.setContent(COUNTS, packFixed64s(counts));
}
