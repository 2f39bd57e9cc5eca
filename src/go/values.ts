/**
 * Values between configuration, OTLP and text, as a Collector converts them.
 * Sources: pdata `Value.AsString` and `Value.FromRaw`, Go `strconv`.
 */
import type { TypedValue } from '../otlp/typed-value.js';

/** What a YAML value is as an attribute: whole numbers are ints, others doubles. */
export function fromConfigValue(value: unknown): TypedValue {
  switch (typeof value) {
    case 'string':
    case 'boolean':
    case 'bigint':
      return value;
    case 'number':
      return Number.isSafeInteger(value) ? BigInt(value) : value;
    case 'object':
      if (value === null || value instanceof Uint8Array) return value;
      if (Array.isArray(value)) return value.map(fromConfigValue);
      return new Map(Object.entries(value).map(([key, item]) => [key, fromConfigValue(item)]));
    default:
      return null;
  }
}

/** pdata's `AsString`: scalars as text, bytes in base64, lists and maps as JSON with sorted keys, `''` for nothing. */
export function asString(value: TypedValue): string {
  if (typeof value === 'string') return value;
  if (value === null) return '';
  if (value instanceof Uint8Array) return base64(value);
  return toJson(value);
}

function toJson(value: TypedValue): string {
  if (value === null) return 'null';
  if (typeof value === 'string') return jsonText(value);
  if (typeof value === 'number') return doubleText(value);
  if (typeof value !== 'object') return String(value);
  if (value instanceof Uint8Array) return jsonText(base64(value));
  if (Array.isArray(value)) return `[${value.map(toJson).join(',')}]`;
  const sorted = [...value].sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  return `{${sorted.map(([key, item]) => `${jsonText(key)}:${toJson(item)}`).join(',')}}`;
}

/** `1`, `1.5`, `1e+21`, `1e-7`, `NaN`, `+Inf`. */
export function doubleText(value: number): string {
  if (Number.isNaN(value)) return 'NaN';
  if (!Number.isFinite(value)) return value > 0 ? '+Inf' : '-Inf';
  return Object.is(value, -0) ? '-0' : String(value);
}

/** `strconv.FormatFloat(value, 'f', -1, 64)`: never an exponent. */
export function plainDoubleText(value: number): string {
  const text = doubleText(value);
  const match = /^(-?)(\d)(?:\.(\d+))?e([+-]\d+)$/.exec(text);
  if (match === null) return text;
  const [, sign = '', whole = '', fraction = '', power = '0'] = match;
  const digits = whole + fraction;
  const point = 1 + Number(power);
  if (point <= 0) return `${sign}0.${'0'.repeat(-point)}${digits}`;
  return sign + digits.padEnd(point, '0');
}

/** Go escapes two line separators that JSON allows as they are. */
const jsonText = (text: string): string =>
  JSON.stringify(text).replace(
    /[\u2028\u2029]/g,
    (separator) => `\\u${separator.charCodeAt(0).toString(16)}`,
  );

const base64 = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('base64');

/** `strconv.ParseInt(text, 10, 64)`; undefined when it is none or out of range. */
export function parseInt64(text: string): bigint | undefined {
  if (!/^[+-]?\d{1,40}$/.test(text)) return undefined;
  const value = BigInt(text.replace(/^\+/, ''));
  return BigInt.asIntN(64, value) === value ? value : undefined;
}

/** `strconv.ParseFloat(text, 64)` without underscores and hexadecimal; undefined when it is none. */
export function parseFloat64(text: string): number | undefined {
  const word = /^([+-]?)(inf|infinity|nan)$/i.exec(text);
  if (word !== null) {
    if (/nan/i.test(word[2]!)) return Number.NaN;
    return word[1] === '-' ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  }
  if (!/^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i.test(text)) return undefined;
  const value = Number(text);
  return Number.isFinite(value) ? value : undefined;
}

const INT64_MIN = -(2n ** 63n);
const INT64_MAX = 2n ** 63n - 1n;

/** Go's conversion of a float64 to int64 on amd64: the fraction is cut; what does not fit becomes the least int64. */
export function truncateToInt64(value: number): bigint {
  if (!Number.isFinite(value)) return INT64_MIN;
  const whole = BigInt(Math.trunc(value));
  return whole < INT64_MIN || whole > INT64_MAX ? INT64_MIN : whole;
}
