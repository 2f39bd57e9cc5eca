/**
 * The short way through `validate` for spans, of which most look alike: fields with tags of one byte, ids of the right
 * length, attributes with one scalar. Half the time of the general check, which is the largest piece of work that a span
 * causes in an `otlp` receiver.
 *
 * Source: opentelemetry-proto v1.11, trace/v1/trace.proto, message Span; the numbers in the switch are
 * `field number << 3 | wire type`.
 */

/** Bytes that may be read behind the end of a field before its length has been checked. */
const LOOK_AHEAD = 4;

/** True when the Span message in `bytes[start, end)` is fine. False means "look closer", not "broken". */
export function isPlainSpan(bytes: Uint8Array, start: number, end: number): boolean {
  if (end + LOOK_AHEAD > bytes.length) return false;
  let pos = start;
  while (pos < end) {
    switch (bytes[pos]) {
      // attributes
      case 0x4a: {
        let length = bytes[pos + 1]!;
        let at = pos + 2;
        if (length >= 0x80) {
          const high = bytes[at++]!;
          if (high >= 0x80) return false;
          length = (length & 0x7f) | (high << 7);
        }
        pos = at + length;
        if (pos > end || !isPlainPair(bytes, at, pos)) return false;
        break;
      }
      // trace_id
      case 0x0a:
        if (bytes[pos + 1] !== 16) return false;
        pos += 18;
        break;
      // span_id, parent_span_id
      case 0x12:
      case 0x22:
        if (bytes[pos + 1] !== 8) return false;
        pos += 10;
        break;
      // trace_state, name
      case 0x1a:
      case 0x2a: {
        const length = bytes[pos + 1]!;
        if (length >= 0x80) return false;
        pos += 2 + length;
        break;
      }
      // start_time_unix_nano, end_time_unix_nano
      case 0x39:
      case 0x41:
        pos += 9;
        break;
      // kind, dropped_attributes_count, dropped_events_count, dropped_links_count
      case 0x30:
      case 0x50:
      case 0x60:
      case 0x70:
        if (bytes[pos + 1]! >= 0x80) return false;
        pos += 2;
        break;
      // flags, whose tag has two bytes
      case 0x85:
        if (bytes[pos + 1] !== 0x01) return false;
        pos += 6;
        break;
      // status without fields
      case 0x7a:
        if (bytes[pos + 1] !== 0) return false;
        pos += 2;
        break;
      default:
        return false;
    }
  }
  return pos === end;
}

/**
 * Nearly every attribute is a short key and one scalar, in this order, where VALUE is a text, bool, int or double:
 *
 *     0a KEYLENGTH key  12 VALUELENGTH VALUE     VALUE = 0a LENGTH text | 10 bool | 18 int | 21 double
 *
 * Whether the lengths agree is seen at once. False means "look closer", not "broken".
 */
export function isPlainPair(bytes: Uint8Array, start: number, end: number): boolean {
  if (end - start < 6 || bytes[start] !== 0x0a) return false;
  const keyLength = bytes[start + 1]!;
  const value = start + 2 + keyLength;
  if (keyLength >= 0x80 || value + 4 > end || bytes[value] !== 0x12) return false;
  let length = bytes[value + 1]!;
  let at = value + 2;
  if (length >= 0x80) {
    const high = bytes[at++]!;
    if (high >= 0x80) return false;
    length = (length & 0x7f) | (high << 7);
  }
  if (at + length !== end || length < 2) return false;
  switch (bytes[at]) {
    case 0x0a: {
      const text = bytes[at + 1]!;
      if (text < 0x80) return text === length - 2;
      return length > 2 && ((text & 0x7f) | (bytes[at + 2]! << 7)) === length - 3 && bytes[at + 2]! < 0x80;
    }
    case 0x10:
    case 0x18: {
      let pos = at + 1;
      while (pos < end && bytes[pos]! >= 0x80) pos++;
      return pos === end - 1 && length <= 11;
    }
    case 0x21:
      return length === 9;
    default:
      return false;
  }
}
