/**
 * Checks a whole request once, at the door: wire types, lengths, ids, nesting. What passes can be read by the views, the
 * edits and every other OTLP implementation without an error. Texts are not checked for valid UTF-8, as in the
 * Collector.
 */
import { contentStart, fieldEnd, tagAt } from './field-end.js';
import { forEachPacked } from './fields.js';
import { MAX_VALUE_DEPTH, MalformedError } from './malformed-error.js';
import { ANY_VALUE, KEY_VALUE, REQUESTS, type SignalName } from './messages.js';
import type { FieldDef, MessageDef } from './schema.js';
import { WireType } from './wire-reader.js';

/**
 * Gives the number of items (spans, data points, log records, samples). Throws `MalformedError` with the Collector's
 * sentence when a Collector would refuse the request.
 */
export function validate(signal: SignalName, bytes: Uint8Array): number {
  return checkMessage(REQUESTS[signal], bytes, 0, bytes.length, 0);
}

/** `valueDepth` counts nested AnyValues. */
function checkMessage(
  def: MessageDef,
  bytes: Uint8Array,
  start: number,
  end: number,
  valueDepth: number,
): number {
  let depth = valueDepth;
  if (def === ANY_VALUE && ++depth > MAX_VALUE_DEPTH + 1) {
    throw new MalformedError('ERR_OTLP_DEPTH', `Values are nested deeper than ${MAX_VALUE_DEPTH}.`, start);
  }
  const { byNumber } = def;
  let items = def.isItem ? 1 : 0;
  let next = 0;
  for (let at = start; at < end; at = next) {
    next = fieldEnd(bytes, at, end);
    const first = bytes[at]!;
    const tag = first < 0x80 ? first : tagAt(bytes, at, end);
    const found = byNumber[tag >>> 3];
    if (found === undefined) continue;
    const inner = found.message;
    if ((tag & 7) !== found.wireType) checkPacked(found, bytes, at, next, tag & 7);
    else if (inner !== undefined) {
      const from = contentStart(bytes, at);
      if (inner !== KEY_VALUE || !isPlain(bytes, from, next)) {
        items += checkMessage(inner, bytes, from, next, depth);
      }
    } else if (found.idBytes > 0) checkId(found, contentStart(bytes, at), next);
  }
  return items;
}

/**
 * Nearly every attribute is a short key and one scalar, in this order, where VALUE is a text, bool, int or double:
 *
 *     0a KEYLENGTH key  12 VALUELENGTH VALUE     VALUE = 0a LENGTH text | 10 bool | 18 int | 21 double
 *
 * Whether the lengths agree is seen at once. False means "look closer", not "broken".
 */
function isPlain(bytes: Uint8Array, start: number, end: number): boolean {
  if (end - start < 6 || bytes[start] !== 0x0a) return false;
  const keyLength = bytes[start + 1]!;
  const value = start + 2 + keyLength;
  if (keyLength >= 0x80 || value + 4 > end || bytes[value] !== 0x12) return false;
  const valueLength = bytes[value + 1]!;
  if (valueLength >= 0x80 || value + 2 + valueLength !== end) return false;
  switch (bytes[value + 2]) {
    case 0x0a:
      return bytes[value + 3] === valueLength - 2;
    case 0x10:
    case 0x18: {
      let pos = value + 3;
      while (pos < end && bytes[pos]! >= 0x80) pos++;
      return pos === end - 1 && valueLength <= 11;
    }
    case 0x21:
      return valueLength === 9;
    default:
      return false;
  }
}

function checkId(found: FieldDef, start: number, end: number): void {
  const length = end - start;
  if (length === found.idBytes || length === 0) return;
  const names = { traceId: 'TraceID', spanId: 'SpanID', profileId: 'ProfileID' } as const;
  const name = names[found.type as keyof typeof names];
  throw new MalformedError('ERR_OTLP_ID_LENGTH', `unmarshal: invalid ${name} length`, start);
}

/** A repeated scalar may come as one packed run of values; any other wire type than the field's is an error. */
function checkPacked(found: FieldDef, bytes: Uint8Array, at: number, next: number, wireType: number): void {
  if (!found.packed || wireType !== WireType.delimited) {
    const name = found.name[0]!.toUpperCase() + found.name.slice(1);
    throw new MalformedError(
      'ERR_OTLP_WIRE_TYPE',
      `proto: wrong wireType = ${wireType} for field ${name}`,
      at,
    );
  }
  forEachPacked(found, bytes, contentStart(bytes, at), next, () => {});
}
