/**
 * Checks a whole request once, at the door: wire types, lengths, ids, nesting. What passes can be read by the views, the
 * edits and every other OTLP implementation without an error. Texts are not checked for valid UTF-8, as in the
 * Collector.
 */
import { contentStart, fieldEnd, tagAt } from './field-end.js';
import { forEachPacked } from './fields.js';
import { MAX_VALUE_DEPTH, MalformedError } from './malformed-error.js';
import { withCollectorSentence } from './malformed-sentence.js';
import { ANY_VALUE, KEY_VALUE, REQUESTS, type SignalName, SPAN } from './messages.js';
import { isPlainPair, isPlainSpan } from './plain-span.js';
import type { FieldDef, MessageDef } from './schema.js';
import { WireType } from './wire-reader.js';

/**
 * Gives the number of items (spans, data points, log records, samples). Throws `MalformedError` with the Collector's
 * sentence when a Collector would refuse the request.
 */
export function validate(signal: SignalName, bytes: Uint8Array): number {
  try {
    return checkMessage(REQUESTS[signal], bytes, 0, bytes.length, 0);
  } catch (error) {
    throw error instanceof MalformedError ? withCollectorSentence(signal, bytes, error) : error;
  }
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
      if (inner === SPAN && isPlainSpan(bytes, from, next)) items++;
      else if (inner !== KEY_VALUE || !isPlainPair(bytes, from, next)) {
        items += checkMessage(inner, bytes, from, next, depth);
      }
    } else if (found.idBytes > 0) checkId(found, contentStart(bytes, at), next);
  }
  return items;
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
