import { createHash } from 'node:crypto';
import { asString, parseFloat64, parseInt64, truncateToInt64 } from '../go/values.js';
import type { TypedValue } from '../otlp/typed-value.js';

/** SHA-256 in hex of a text's UTF-8, or of a number's eight bytes (little endian), or of a bool's one; else `''`. */
export function hashValue(value: TypedValue): string {
  let input: string | Uint8Array;
  switch (typeof value) {
    case 'string':
      input = value;
      break;
    case 'boolean':
      input = Uint8Array.of(value ? 1 : 0);
      break;
    case 'bigint':
      input = eightBytes((view) => view.setBigInt64(0, value, true));
      break;
    case 'number':
      input = eightBytes((view) => view.setFloat64(0, value, true));
      break;
    default:
      return '';
  }
  return createHash('sha256').update(input).digest('hex');
}

function eightBytes(write: (view: DataView) => void): Uint8Array {
  const bytes = new Uint8Array(8);
  write(new DataView(bytes.buffer));
  return bytes;
}

/** The value as another type, or the value itself when it can't be converted. */
export function convertValue(value: TypedValue, type: 'string' | 'int' | 'double'): TypedValue {
  if (type === 'string') return typeof value === 'string' ? value : asString(value);
  if (typeof value === 'boolean') return type === 'int' ? BigInt(value) : Number(value);
  if (type === 'int') {
    if (typeof value === 'number') return truncateToInt64(value);
    return typeof value === 'string' ? (parseInt64(value) ?? value) : value;
  }
  if (typeof value === 'bigint') return Number(value);
  return typeof value === 'string' ? (parseFloat64(value) ?? value) : value;
}
