/** Properties of MQTT 5 (section 2.2.2). */
import type { ByteCursor } from '../byte-cursor.js';
import type { HeaderValues } from '../trace-context/header-values.js';

/** Bytes of the value by the property's id; letters: `v` variable integer, `s` text or bytes, `p` a pair of texts. */
const TYPES: ReadonlyMap<number, number | 'v' | 's' | 'p'> = new Map<number, number | 'v' | 's' | 'p'>([
  ...[0x01, 0x17, 0x19, 0x24, 0x25, 0x28, 0x29, 0x2a].map((id) => [id, 1] as const),
  ...[0x13, 0x21, 0x22, 0x23].map((id) => [id, 2] as const),
  ...[0x02, 0x11, 0x18, 0x27].map((id) => [id, 4] as const),
  ...[0x03, 0x08, 0x09, 0x12, 0x15, 0x16, 0x1a, 0x1c, 0x1f].map((id) => [id, 's'] as const),
  [0x0b, 'v'],
  [0x26, 'p'],
]);
const TOPIC_ALIAS = 0x23;
const REASON = 0x1f;
const ASSIGNED_CLIENT = 0x12;

/** What is wanted of the properties of one packet. */
export class Properties {
  topicAlias = 0;
  reason = '';
  assignedClient = '';

  /** Reads the properties at `cursor` and stands behind them; false when there are none that make sense. */
  read(cursor: ByteCursor, context: HeaderValues | undefined): boolean {
    this.topicAlias = 0;
    this.reason = '';
    this.assignedClient = '';
    context?.clear();
    const length = variableInteger(cursor);
    if (!cursor.ok) return false;
    const stop = cursor.pos + length;
    while (cursor.ok && cursor.pos < stop && cursor.left > 0) {
      const id = cursor.u8();
      const type = TYPES.get(id);
      if (type === undefined) return false;
      if (id === TOPIC_ALIAS) this.topicAlias = cursor.u16();
      else if (id === REASON) this.reason = cursor.text(cursor.u16());
      else if (id === ASSIGNED_CLIENT) this.assignedClient = cursor.text(cursor.u16());
      else if (type === 'p') userProperty(cursor, context);
      else if (type === 's') cursor.skip(cursor.u16());
      else if (type === 'v') variableInteger(cursor);
      else cursor.skip(type);
    }
    return cursor.ok && cursor.pos === stop;
  }
}

function userProperty(cursor: ByteCursor, context: HeaderValues | undefined): void {
  const nameEnd = cursor.u16() + cursor.pos;
  const nameStart = cursor.pos;
  cursor.skip(nameEnd - nameStart);
  const valueLength = cursor.u16();
  const valueStart = cursor.pos;
  cursor.skip(valueLength);
  if (cursor.ok) context?.take(cursor.bytes, nameStart, nameEnd, valueStart, cursor.pos);
}

function variableInteger(cursor: ByteCursor): number {
  let value = 0;
  for (let i = 0; i < 4; i++) {
    const byte = cursor.u8();
    value += (byte & 0x7f) * 2 ** (7 * i);
    if (byte < 0x80) return value;
  }
  cursor.ok = false;
  return 0;
}
