/**
 * Protobuf to OTLP/JSON.
 * Source: https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding (1.9).
 *
 * Written like a Collector does: lowerCamelCase, ids in lower-case hex, 64-bit integers as texts, enums as numbers, NaN
 * and infinities as texts, fields with their default value left out, but `resource`, `scope`, `status`, `value` and
 * `body` always there. Unknown fields are lost, since JSON has no place for them.
 */
import { locateFields, mergedMessage, readScalar, readScalars, type Scalar } from './fields.js';
import { isZeroId } from './ids.js';
import { MAX_VALUE_DEPTH, MalformedError } from './malformed-error.js';
import { ANY_VALUE, REQUESTS, type SignalName } from './messages.js';
import type { FieldDef, MessageDef } from './schema.js';

/** One line of JSON. Throws `MalformedError`. */
export function toJson(signal: SignalName, bytes: Uint8Array): string {
  return messageToJson(REQUESTS[signal], bytes, 0, bytes.length, 0);
}

/** `depth` counts nested AnyValues. */
function messageToJson(
  def: MessageDef,
  bytes: Uint8Array,
  start: number,
  end: number,
  depth: number,
): string {
  const inner = def === ANY_VALUE ? depth + 1 : depth;
  if (inner > MAX_VALUE_DEPTH + 1) {
    throw new MalformedError('ERR_OTLP_DEPTH', `Values are nested deeper than ${MAX_VALUE_DEPTH}.`, start);
  }
  const located = locateFields(def, bytes, start, end);
  let json = '{';
  for (const one of def.fields) {
    const value = fieldToJson(one, bytes, located[one.index], inner);
    if (value === undefined) continue;
    json += json.length > 1 ? `,"${one.name}":${value}` : `"${one.name}":${value}`;
  }
  return `${json}}`;
}

/** Undefined when the field is left out. */
function fieldToJson(
  one: FieldDef,
  bytes: Uint8Array,
  places: readonly number[] | undefined,
  depth: number,
): string | undefined {
  const of = one.message;
  if (places === undefined)
    return one.presence === 'always' && of !== undefined ? emptyToJson(of) : undefined;
  if (of === undefined) {
    if (one.repeated) {
      const values = readScalars(one, bytes, places);
      return values.length === 0 ? undefined : `[${values.map(scalarToJson).join(',')}]`;
    }
    const isUnsetId = one.idBytes > 0 && isZeroId(bytes, places[0]!, places[1]!);
    const value = readScalar(one.type, bytes, places[0]!, places[1]!);
    const isLeftOut = one.presence === 'implicit' && (isUnsetId || isDefault(value));
    return isLeftOut ? undefined : scalarToJson(value);
  }
  if (!one.repeated) {
    const inner = mergedMessage(bytes, places);
    return messageToJson(of, inner.bytes, inner.start, inner.end, depth);
  }
  let json = '';
  for (let index = 0; index < places.length; index += 2) {
    json += (index === 0 ? '' : ',') + messageToJson(of, bytes, places[index]!, places[index + 1]!, depth);
  }
  return `[${json}]`;
}

const NOTHING = new Uint8Array(0);
const emptyToJson = (def: MessageDef): string => messageToJson(def, NOTHING, 0, 0, 0);

function isDefault(value: Scalar): boolean {
  if (value instanceof Uint8Array) return value.length === 0;
  return value === '' || value === false || value === 0n || Object.is(value, 0);
}

function scalarToJson(value: Scalar): string {
  switch (typeof value) {
    case 'string':
      return JSON.stringify(value);
    case 'bigint':
      return `"${value}"`;
    case 'number':
      if (!Number.isFinite(value)) return `"${value}"`;
      return Object.is(value, -0) ? '-0' : String(value);
    case 'boolean':
      return String(value);
    default:
      return `"${Buffer.from(value.buffer, value.byteOffset, value.length).toString('base64')}"`;
  }
}
