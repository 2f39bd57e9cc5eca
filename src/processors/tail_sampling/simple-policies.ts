/** Policies that look at the trace itself. */
import { GoRegExp } from '../../go/regexp.js';
import { getAttribute } from '../../otlp/attribute-edit.js';
import type { TypedValue } from '../../otlp/typed-value.js';
import { field } from '../../otlp/wire-reader.js';
import type { OttlContext } from '../../ottl/context.js';
import type { ErrorMode } from '../../ottl/error-mode.js';
import { parseCondition } from '../../ottl/parser.js';
import { compileCondition } from '../../ottl/statement.js';
import { OttlError } from '../../ottl/values.js';
import type { Policy } from './policies.js';
import type { TraceData, TraceSpan } from './trace.js';

const { delimited, fixed32, fixed64, varint } = field;
const FIRST = delimited(1);
const SPAN = {
  traceState: delimited(3),
  start: fixed64(7),
  end: fixed64(8),
  attributes: delimited(9),
  events: delimited(11),
  status: delimited(15),
  flags: fixed32(16),
};
const STATUS_CODE = varint(3);
const NS_PER_MS = 1_000_000n;

const anySpan =
  (test: (span: TraceSpan) => boolean): Policy =>
  (trace) =>
    trace.spans.some(test) ? 'sampled' : 'not_sampled';

/** From the earliest start to the latest end, in whole ms: above `threshold`, and at most `upper` when that is set. */
export function latencyPolicy(threshold: number, upper: number): Policy {
  return (trace) => {
    let first: bigint | undefined;
    let last = 0n;
    for (const { span } of trace.spans) {
      const start = span.uint64(SPAN.start);
      const end = span.uint64(SPAN.end);
      if (first === undefined || start < first) first = start;
      if (end > last) last = end;
    }
    const ms = Number((last - (first ?? last)) / NS_PER_MS);
    return ms > threshold && (upper === 0 || ms <= upper) ? 'sampled' : 'not_sampled';
  };
}

/** Whether a resource or span has the attribute with such a value; or, inverted, whether none has. */
export function attributePolicy(
  { key, invert_match: inverted }: { readonly key: string; readonly invert_match: boolean },
  test: (value: TypedValue) => boolean,
): Policy {
  const has = ({ span, resourceGroup }: TraceSpan): boolean => {
    const ofResource = getAttribute(resourceGroup.look(FIRST), FIRST, key);
    if (ofResource !== undefined && test(ofResource)) return true;
    const ofSpan = getAttribute(span, SPAN.attributes, key);
    return ofSpan !== undefined && test(ofSpan);
  };
  return (trace) => (trace.spans.some(has) === inverted ? 'not_sampled' : 'sampled');
}

export function stringMatcher(values: readonly string[], isRegexp: boolean): (text: string) => boolean {
  if (!isRegexp) {
    const set = new Set(values);
    return (text) => set.has(text);
  }
  const patterns = values.map((value) => {
    try {
      return new GoRegExp(value);
    } catch (error) {
      throw new Error(`invalid regex \`${value}\`: ${(error as Error).message}`);
    }
  });
  return (text) => patterns.some((pattern) => pattern.test(text));
}

const STATUS_CODES: Readonly<Record<string, number>> = { UNSET: 0, OK: 1, ERROR: 2 };

export function statusCodePolicy(names: readonly string[]): Policy {
  if (names.length === 0) throw new Error('expected at least one status code to filter on');
  const codes = new Set(
    names.map((name) => {
      if (Object.hasOwn(STATUS_CODES, name)) return STATUS_CODES[name]!;
      throw new Error(`unknown status code ${JSON.stringify(name)}, supported: OK, ERROR, UNSET`);
    }),
  );
  return anySpan(({ span }) => codes.has(span.look(SPAN.status).uint32(STATUS_CODE)));
}

const MAX_UINT64 = 2n ** 64n - 1n;

/** By a hash of the trace id (FNV-1a of 64 bits after the salt), so that all instances decide alike. */
export function probabilisticPolicy(salt: string, percentage: number): Policy {
  const ratio = Math.min(1, Math.max(0, percentage / 100));
  // The ratio times 2^64 - 1, exactly: a double is a fraction of two integers.
  const scale = 2 ** 53;
  const threshold = (MAX_UINT64 * BigInt(Math.round(ratio * scale))) / BigInt(scale);
  const prefix = Buffer.from(salt === '' ? 'default-hash-seed' : salt);
  return ({ traceId }) => {
    let hash = 0xcbf29ce484222325n;
    for (const bytes of [prefix, traceId]) {
      for (const byte of bytes) hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * 0x100000001b3n);
    }
    return hash <= threshold ? 'sampled' : 'not_sampled';
  };
}

/** A bucket that is filled at `rate` per second up to `burst`; a trace passes when all it needs is there. */
export function limitPolicy(
  rate: number,
  burst: number,
  now: () => number,
  costOf: (trace: TraceData) => number,
): Policy {
  let level = burst;
  let filledMs: number | undefined;
  return (trace) => {
    const nowMs = now();
    if (filledMs !== undefined && nowMs > filledMs) {
      level = Math.min(burst, level + ((nowMs - filledMs) / 1000) * rate);
    }
    filledMs = nowMs;
    const cost = costOf(trace);
    if (cost > level) return 'not_sampled';
    level -= cost;
    return 'sampled';
  };
}

export const spanCountPolicy =
  (min: number, max: number): Policy =>
  ({ spanCount }) =>
    spanCount >= min && (max === 0 || spanCount <= max) ? 'sampled' : 'not_sampled';

/** An entry of the W3C tracestate that has one of the values. */
export function traceStatePolicy(key: string, values: readonly string[]): Policy {
  const wanted = new Set(values.map((value) => `${key}=${value}`));
  return anySpan(({ span }) =>
    span
      .text(SPAN.traceState)
      .split(',')
      .some((entry) => wanted.has(entry.trim())),
  );
}

/** A span whose trace flags say "sampled" (W3C Trace Context section 3.2.2.5). */
export const traceFlagsPolicy: Policy = anySpan(({ span }) => (span.uint32(SPAN.flags) & 1) !== 0);

/** Conditions about spans and their events; one that holds for one of them is enough. */
export function ottlPolicy(
  config: {
    readonly error_mode: ErrorMode;
    readonly span: readonly string[];
    readonly spanevent: readonly string[];
  },
  now: () => number,
): Policy {
  if (config.span.length === 0 && config.spanevent.length === 0) {
    throw new Error('expected at least one OTTL condition to filter on');
  }
  const compile = (context: 'span' | 'spanevent') => (text: string) => {
    // The Collector tells what is wrong with a condition without the condition.
    parseCondition(text);
    return compileCondition(text, context, 'plain');
  };
  const ofSpan = config.span.map(compile('span'));
  const ofEvent = config.spanevent.map(compile('spanevent'));
  const holds = (conditions: typeof ofSpan, context: OttlContext) =>
    conditions.some((condition) => {
      try {
        return condition.test(context);
      } catch (error) {
        if (error instanceof OttlError && config.error_mode !== 'propagate') return false;
        throw error;
      }
    });
  return anySpan(({ span, resourceGroup, scopeGroup }) => {
    const context: OttlContext = {
      resourceGroup,
      scopeGroup,
      item: span,
      part: undefined,
      metricKind: undefined,
      exemplar: undefined,
      cache: undefined,
      now,
    };
    if (holds(ofSpan, context)) return true;
    if (ofEvent.length === 0 || !span.has(SPAN.events)) return false;
    return span.children(SPAN.events).some((part) => holds(ofEvent, { ...context, part, cache: undefined }));
  });
}
