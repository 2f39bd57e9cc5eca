/**
 * The sentence with which a Collector refuses bytes that `validate` has refused (pdata 1.65, the generated `UnmarshalProto`
 * methods): it looks at a field's number and wire type before it looks for the field's end, which `validate`, in a
 * hurry, does not.
 */
import { contentStart, fieldEnd } from './field-end.js';
import { type MalformedCode, MalformedError } from './malformed-error.js';
import { REQUESTS, type SignalName } from './messages.js';
import type { MessageDef } from './schema.js';

/** These say the same in any order, and nesting is not to be walked again. */
const FINAL: ReadonlySet<MalformedCode> = new Set(['ERR_OTLP_DEPTH', 'ERR_OTLP_ID_LENGTH']);

/** Takes what `validate` threw; gives it with the Collector's message. */
export function withCollectorSentence(
  signal: SignalName,
  bytes: Uint8Array,
  error: MalformedError,
): MalformedError {
  if (FINAL.has(error.code)) return error;
  try {
    walk(REQUESTS[signal], bytes, 0, bytes.length);
  } catch (found) {
    if (found instanceof MalformedError) return found;
    throw found;
  }
  return error;
}

function walk(def: MessageDef, bytes: Uint8Array, start: number, end: number): void {
  for (let at = start; at < end; ) {
    const { tag, next } = readTag(bytes, at, end);
    const number = Number(BigInt.asIntN(32, tag >> 3n));
    if (number <= 0) {
      const message = `proto: Link: illegal field=${number} (tag=${tag}, pos=${next - start})`;
      throw new MalformedError('ERR_OTLP_TAG', message, at);
    }
    const wireType = Number(tag & 7n);
    const found = def.byNumber[number];
    const isPacked = found?.packed === true && wireType === 2;
    if (found !== undefined && wireType !== found.wireType && !isPacked) {
      const name = found.name[0]!.toUpperCase() + found.name.slice(1);
      const message = `proto: wrong wireType = ${wireType} for field ${name}`;
      throw new MalformedError('ERR_OTLP_WIRE_TYPE', message, at);
    }
    const after = fieldEnd(bytes, at, end);
    if (found?.message !== undefined) walk(found.message, bytes, contentStart(bytes, at), after);
    at = after;
  }
}

function readTag(bytes: Uint8Array, at: number, end: number): { tag: bigint; next: number } {
  let tag = 0n;
  for (let next = at, shift = 0n; ; shift += 7n) {
    if (shift >= 64n) throw new MalformedError('ERR_OTLP_VARINT', 'proto: integer overflow', at);
    if (next >= end) throw new MalformedError('ERR_OTLP_TRUNCATED', 'unexpected EOF', end);
    const byte = bytes[next++]!;
    tag |= BigInt.asUintN(64, BigInt(byte & 0x7f) << shift);
    if (byte < 0x80) return { tag, next };
  }
}
