/**
 * Values as a Collector prints them, which is how Go prints them: `%v` and `%f` of floats
 * (https://pkg.go.dev/fmt), `time.Time.String`, and pdata's `Value.AsString`.
 */
import type { AnyValue, JsonDouble, KeyValue } from './otlp-json.js';

/** `Str(x)`, `Int(1)`, … */
export function typedValue(value: AnyValue | undefined): string {
  return `${typeName(value)}(${valueText(value)})`;
}

function typeName(value: AnyValue | undefined): string {
  if (value?.stringValue !== undefined) return 'Str';
  if (value?.boolValue !== undefined) return 'Bool';
  if (value?.intValue !== undefined) return 'Int';
  if (value?.doubleValue !== undefined) return 'Double';
  if (value?.bytesValue !== undefined) return 'Bytes';
  if (value?.arrayValue !== undefined) return 'Slice';
  return value?.kvlistValue === undefined ? 'Empty' : 'Map';
}

/** A value alone: scalars as text, bytes in base64, lists and maps as JSON with sorted keys. */
export function valueText(value: AnyValue | undefined): string {
  if (value?.stringValue !== undefined) return value.stringValue;
  return value === undefined || typeName(value) === 'Empty' ? '' : valueJson(value, false);
}

function valueJson(value: AnyValue, quoted: boolean): string {
  if (value.stringValue !== undefined) return jsonText(value.stringValue);
  if (value.boolValue !== undefined) return String(value.boolValue);
  if (value.intValue !== undefined) return value.intValue;
  // `String` and Go's JSON encoder choose between fraction and exponent at the same magnitudes.
  if (value.doubleValue !== undefined) return String(value.doubleValue);
  if (value.bytesValue !== undefined) return quoted ? jsonText(value.bytesValue) : value.bytesValue;
  if (value.arrayValue !== undefined) {
    return `[${(value.arrayValue.values ?? []).map((item) => valueJson(item, true)).join(',')}]`;
  }
  if (value.kvlistValue === undefined) return 'null';
  // The last value of a key wins, as in the map that Go makes of it.
  const entries = new Map(
    (value.kvlistValue.values ?? []).map(({ key = '', value: inner = {} }) => [key, inner]),
  );
  const sorted = [...entries].sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  return `{${sorted.map(([key, inner]) => `${jsonText(key)}:${valueJson(inner, true)}`).join(',')}}`;
}

/** Go escapes two line separators that JSON allows as they are. */
const jsonText = (text: string): string =>
  JSON.stringify(text).replace(
    /[\u2028\u2029]/g,
    (separator) => `\\u${separator.charCodeAt(0).toString(16)}`,
  );

/** `key=value` of each attribute. */
export const attributeTexts = (attributes: readonly KeyValue[] = []): string[] =>
  attributes.map(({ key = '', value }) => `${key}=${valueText(value)}`);

/** `%f`: six digits after the point. */
export function fixedText(value: JsonDouble): string {
  const number = Number(value);
  if (!Number.isFinite(number)) return infinityText(number);
  // toFixed switches to exponents at 1e21; such a number is whole.
  return Math.abs(number) < 1e21 ? number.toFixed(6) : `${BigInt(number)}.000000`;
}

/** `%v`: the shortest digits; an exponent of two digits at least, from 1e21 down to where digits would run out. */
export function shortText(value: JsonDouble): string {
  const number = Number(value);
  if (!Number.isFinite(number)) return infinityText(number);
  const [mantissa = '', exponentText = '0'] = number.toExponential().split('e');
  const exponent = Number(exponentText);
  if (exponent >= -4 && exponent < GO_EXPONENT_THRESHOLD) return String(number);
  const digits = String(Math.abs(exponent)).padStart(2, '0');
  return `${mantissa}e${exponent < 0 ? '-' : '+'}${digits}`;
}

/** strconv's `%g` with the shortest precision. */
const GO_EXPONENT_THRESHOLD = 6;

function infinityText(number: number): string {
  return Number.isNaN(number) ? 'NaN' : number > 0 ? '+Inf' : '-Inf';
}

/** `2018-12-13 14:51:00.3 +0000 UTC` of nanoseconds since the epoch. */
export function timeText(unixNano = '0'): string {
  // As the signed number that Go makes of it.
  const nanos = BigInt.asIntN(64, BigInt(unixNano));
  const rest = ((nanos % NANOS) + NANOS) % NANOS;
  const date = new Date(Number((nanos - rest) / 1_000_000n)).toISOString();
  const fraction = rest.toString().padStart(9, '0').replace(/0+$/, '');
  const [day = '', clock = ''] = date.split('T');
  return `${day} ${clock.slice(0, 8)}${fraction === '' ? '' : `.${fraction}`} +0000 UTC`;
}

/** In a second. */
const NANOS = 1_000_000_000n;
