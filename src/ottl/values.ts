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

/** Ints are `bigint`, doubles are `number`. `null` is nil: nothing there. */
export type OttlValue = TypedValue | OttlTime | OttlDuration;

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
  if (value instanceof Uint8Array) return '[]uint8';
  if (value instanceof Map) return 'pcommon.Map';
  if (value instanceof OttlTime) return 'time.Time';
  return value instanceof OttlDuration ? 'time.Duration' : 'pcommon.Slice';
}

/** Refuses times and durations, which have no form in OTLP. */
export function toTyped(value: OttlValue, current: TypedValue = null): TypedValue {
  if (value instanceof OttlTime || value instanceof OttlDuration) {
    throw new OttlError(
      `unsupported type ${typeName(value)} for set operation; current value type is ${kindName(current)}`,
    );
  }
  return value;
}

/** What `String`, `Concat` and `IsMatch` see; undefined for nil. */
export function textLike(value: OttlValue): string | undefined {
  if (value === null) return undefined;
  if (typeof value === 'string') return value;
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex');
  if (typeof value === 'number') return doubleText(value);
  if (value instanceof OttlTime) return JSON.stringify(rfc3339(value.ns));
  if (value instanceof OttlDuration) return String(value.ns);
  return asString(value);
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
  const name = value === null || value instanceof OttlTime || value instanceof OttlDuration;
  throw new OttlError(`expected string but got ${name ? typeName(value) : kindName(value)}`);
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
