/** Values while statements run. */
import { asString, doubleText } from '../go/values.js';
import { kindName, type TypedValue } from '../otlp/typed-value.js';

/** A point in time, nanoseconds since the epoch. Go: `time.Time`. */
export class OttlTime {
  readonly ns: bigint;

  constructor(ns: bigint) {
    this.ns = ns;
  }
}

/** A span of time in nanoseconds. Go: `time.Duration`. */
export class OttlDuration {
  readonly ns: bigint;

  constructor(ns: bigint) {
    this.ns = ns;
  }
}

/** A trace, span or profile id. Go: `pcommon.TraceID`; unlike bytes it is no attribute value. */
export class OttlId extends Uint8Array {
  /** `bytes`: 16, or 8 for a span id. */
  static named(kind: IdKind, bytes: Uint8Array): OttlId {
    const id = new OttlId(bytes);
    id.#kind = kind;
    return id;
  }

  #kind: IdKind = 'TraceID';

  get kind(): IdKind {
    return this.#kind;
  }
}

export type IdKind = 'TraceID' | 'SpanID' | 'ProfileID';

/** A list whose Go type is not `pcommon.Slice`: written in a statement, or of something that is no attribute value. */
export class GoList extends Array<TypedValue> {
  /** `items` are copied. */
  static named(goType: string, items: readonly TypedValue[]): GoList {
    const list = new GoList();
    for (const item of items) list.push(item);
    list.#goType = goType;
    return list;
  }

  #goType = '[]interface {}';

  get goType(): string {
    return this.#goType;
  }
}

/** Lists that Go's pcommon.Value can hold; others are telemetry of their own (events, exemplars, bucket counts). */
const VALUE_LISTS = ['[]interface {}', '[]string', '[]float64', '[]int64'];

/** Ints are `bigint`, doubles are `number`. `null` is nil: nothing there. */
export type OttlValue = TypedValue | OttlTime | OttlDuration | OttlPart;

/** Parts of telemetry that are no values (`span.status`, `span.events`): they can be copied to such places only. */
export class OttlPart {
  readonly goType: string;
  /** Encoded messages: one, or those of a list. */
  readonly items: readonly Uint8Array[];

  constructor(goType: string, items: readonly Uint8Array[]) {
    this.goType = goType;
    this.items = items;
  }
}

/** A statement could not be carried out on the data it met. `error_mode` decides what follows. */
export class OttlError extends Error {
  override readonly name = 'OttlError';
}

/** Go's name of the type, as error sentences show it. */
export function typeName(value: OttlValue): string {
  switch (typeof value) {
    case 'string':
      return 'string';
    case 'bigint':
      return 'int64';
    case 'number':
      return 'float64';
    case 'boolean':
      return 'bool';
  }
  if (value === null) return 'nil';
  if (value instanceof OttlPart || value instanceof GoList) return value.goType;
  if (value instanceof OttlId) return `pcommon.${value.kind}`;
  if (value instanceof Uint8Array) return '[]uint8';
  if (value instanceof Map) return 'pcommon.Map';
  if (value instanceof OttlTime) return 'time.Time';
  return value instanceof OttlDuration ? 'time.Duration' : 'pcommon.Slice';
}

/** Refuses what is no attribute value: times, durations, ids, parts of telemetry. */
export function toTyped(value: OttlValue, current: TypedValue = null): TypedValue {
  const refused =
    value instanceof OttlTime ||
    value instanceof OttlDuration ||
    value instanceof OttlPart ||
    value instanceof OttlId ||
    (value instanceof GoList && !VALUE_LISTS.includes(value.goType));
  if (!refused) return value;
  throw new OttlError(
    `unsupported type ${typeName(value)} for set operation; current value type is ${kindName(current)}`,
  );
}

/** What setters of fields expect: a value of exactly that type. */
export function expectGo<T extends OttlValue>(value: OttlValue, type: string): T {
  if (value === null) throw new OttlError('setting a value to nil is not supported');
  if (typeName(value) !== type) throw new OttlError(`expects ${type} but got ${typeName(value)}`);
  return value as T;
}

/** What `String`, `Concat` and `IsMatch` see; undefined for nil. */
export function textLike(value: OttlValue): string | undefined {
  if (value === null) return undefined;
  if (typeof value === 'string') return value;
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex');
  if (typeof value === 'number') return doubleText(value);
  if (value instanceof OttlTime) return JSON.stringify(rfc3339(value.ns));
  if (value instanceof OttlDuration) return String(value.ns);
  return value instanceof OttlPart ? undefined : asString(value);
}

/** RFC 3339 in UTC with as many digits of the second as needed. */
export function rfc3339(ns: bigint): string {
  const seconds = ns / 1_000_000_000n - (ns % 1_000_000_000n < 0n ? 1n : 0n);
  const fraction = String(ns - seconds * 1_000_000_000n)
    .padStart(9, '0')
    .replace(/0+$/, '');
  const whole = new Date(Number(seconds) * 1000).toISOString().slice(0, 19);
  return `${whole}${fraction === '' ? '' : `.${fraction}`}Z`;
}

/** A text, or an error as Go words it. */
export function expectText(value: OttlValue): string {
  if (typeof value === 'string') return value;
  throw new OttlError(`expected string but got ${typeName(value)}`);
}

export function expectInt(value: OttlValue): bigint {
  if (typeof value === 'bigint') return value;
  throw new OttlError(`expected int64 but got ${typeName(value)}`);
}

/** A map to read or to change: values read from telemetry are copies, so changing it changes nothing else. */
export function expectMap(value: OttlValue): Map<string, TypedValue> {
  if (value === null) throw new OttlError('expected pcommon.Map but got nil');
  if (value instanceof Map) return value;
  throw new OttlError(`expected pcommon.Map but got ${typeName(value)}`);
}
