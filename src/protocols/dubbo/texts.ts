/**
 * Texts in the bodies of Dubbo's messages, as far as the name of a call and the context need them: Hessian 2
 * (http://hessian.caucho.com/doc/hessian-serialization.html section 4.12), fastjson2's JSONB
 * (https://github.com/alibaba/fastjson2/wiki/jsonb_format_cn) with a length of four bytes before each value, and fastjson's
 * lines of JSON.
 */
import { type ByteCursor, textOf } from '../byte-cursor.js';
import { SERIALIZATION } from './header.js';

/** Names of services, methods and exceptions are shorter. */
const LONGEST = 1024;

/** The text at `cursor`; undefined (and `cursor.ok` false) when there is none, '' for null. */
export function readText(serialization: number, cursor: ByteCursor): string | undefined {
  switch (serialization) {
    case SERIALIZATION.hessian2:
      return hessianText(cursor);
    case SERIALIZATION.fastjson2:
      cursor.skip(4);
      return jsonbText(cursor);
    case SERIALIZATION.fastjson:
      return lineText(cursor);
    default:
      cursor.ok = false;
      return undefined;
  }
}

/** The text at `cursor` without what a message has around its values: a value of a map. */
export const readMapText = (serialization: number, cursor: ByteCursor): string | undefined =>
  serialization === SERIALIZATION.fastjson2 ? jsonbText(cursor) : hessianText(cursor);

function hessianText(cursor: ByteCursor): string | undefined {
  const code = cursor.u8();
  if (code === 0x4e) return '';
  if (code < 0x20) return characters(cursor, code);
  if (code >= 0x30 && code < 0x34) return characters(cursor, ((code - 0x30) << 8) | cursor.u8());
  if (code === 0x53) return characters(cursor, cursor.u16());
  cursor.ok = false;
  return undefined;
}

/** Hessian counts UTF-16 units, each in one to three bytes. */
function characters(cursor: ByteCursor, count: number): string | undefined {
  if (count > LONGEST) cursor.ok = false;
  const { bytes } = cursor;
  let at = cursor.pos;
  for (let left = count; left > 0; left--) {
    const first = at < cursor.end ? bytes[at]! : 0;
    at += first < 0x80 ? 1 : first < 0xe0 ? 2 : 3;
  }
  const start = cursor.pos;
  cursor.skip(at - start);
  return cursor.ok ? textOf(bytes, start, at) : undefined;
}

function jsonbText(cursor: ByteCursor): string | undefined {
  const code = cursor.u8();
  if (code === 0xaf) return '';
  if (code >= 0x49 && code <= 0x78) return exactly(cursor, code - 0x49);
  if (code === 0x79 || code === 0x7a) return exactly(cursor, jsonbInteger(cursor));
  cursor.ok = false;
  return undefined;
}

/** Small integers are their code; larger ones have one or two more bytes. */
function jsonbInteger(cursor: ByteCursor): number {
  const code = cursor.u8();
  if (code <= 0x2f) return code;
  if (code >= 0x30 && code <= 0x3f) return ((code - 0x38) << 8) + cursor.u8();
  cursor.ok = false;
  return 0;
}

function exactly(cursor: ByteCursor, length: number): string | undefined {
  if (length < 0 || length > LONGEST) cursor.ok = false;
  const text = cursor.text(length);
  return cursor.ok ? text : undefined;
}

function lineText(cursor: ByteCursor): string | undefined {
  const { bytes, pos, end } = cursor;
  let newline = pos;
  while (newline < end && newline - pos < LONGEST && bytes[newline] !== 0x0a) newline++;
  if (bytes[newline] !== 0x0a || newline >= end) {
    cursor.ok = false;
    return undefined;
  }
  cursor.skip(newline + 1 - pos);
  const quoted = bytes[pos] === 0x22 && bytes[newline - 1] === 0x22;
  return quoted ? textOf(bytes, pos + 1, newline - 1) : '';
}
