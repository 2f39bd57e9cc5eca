/**
 * Checks a whole request once, at the door: wire types, lengths, ids, nesting. What passes can be read by the views, the
 * edits and every other OTLP implementation without an error. Texts are not checked for valid UTF-8, as in the
 * Collector.
 */
import { MAX_VALUE_DEPTH, MalformedError } from './malformed-error.js';
import { ANY_VALUE, KEY_VALUE, REQUESTS, type SignalName } from './messages.js';
import { type FieldDef, idBytes, type MessageDef } from './schema.js';
import { WireReader, WireType } from './wire-reader.js';

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
  const reader = new WireReader(bytes, start, end);
  const { byNumber } = def;
  let items = def.isItem ? 1 : 0;
  for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
    const found = byNumber[tag >>> 3];
    if (found === undefined) {
      reader.skip(tag);
      continue;
    }
    if ((tag & 7) !== found.wireType) {
      checkPacked(found, reader, tag);
      continue;
    }
    reader.skip(tag);
    if (found.type === 'message') {
      const inner = found.message!;
      if (inner === KEY_VALUE && isPlainText(bytes, reader.start, reader.pos)) continue;
      items += checkMessage(inner, bytes, reader.start, reader.pos, depth);
    } else if (found.wireType === WireType.delimited) {
      const expected = idBytes(found.type);
      if (expected > 0) checkId(found, expected, reader.start, reader.pos);
    }
  }
  return items;
}

/**
 * Nearly every attribute is a short key and a short text, in this order:
 *
 *     0a KEYLEN key  12 VALUELEN 0a TEXTLEN text
 *
 * Whether the three lengths agree is seen at once. False means "look closer", not "broken".
 */
function isPlainText(bytes: Uint8Array, start: number, end: number): boolean {
  if (end - start < 6 || bytes[start] !== 0x0a) return false;
  const keyLength = bytes[start + 1]!;
  const value = start + 2 + keyLength;
  if (keyLength >= 0x80 || value + 4 > end || bytes[value] !== 0x12) return false;
  const valueLength = bytes[value + 1]!;
  return (
    valueLength < 0x80 &&
    value + 2 + valueLength === end &&
    bytes[value + 2] === 0x0a &&
    bytes[value + 3] === valueLength - 2
  );
}

function checkId(found: FieldDef, expected: number, start: number, end: number): void {
  const length = end - start;
  if (length === expected || length === 0) return;
  const names = { traceId: 'TraceID', spanId: 'SpanID', profileId: 'ProfileID' } as const;
  const name = names[found.type as keyof typeof names];
  throw new MalformedError('ERR_OTLP_ID_LENGTH', `unmarshal: invalid ${name} length`, start);
}

/** A repeated scalar may come as one packed run of values; any other wire type than the field's is an error. */
function checkPacked(found: FieldDef, reader: WireReader, tag: number): void {
  const wireType = tag & 7;
  if (!found.packed || wireType !== WireType.delimited) {
    const name = found.name[0]!.toUpperCase() + found.name.slice(1);
    throw new MalformedError(
      'ERR_OTLP_WIRE_TYPE',
      `proto: wrong wireType = ${wireType} for field ${name}`,
      reader.pos,
    );
  }
  reader.delimited();
  const values = new WireReader(reader.bytes, reader.start, reader.pos);
  while (values.pos < values.end) values.skip(found.wireType);
}
