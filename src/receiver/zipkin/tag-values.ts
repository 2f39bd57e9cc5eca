/** Texts that look like something else, for `parse_string_tags`. */
import type { AttributeInput } from '../../otlp/attribute-writer.js';

const INT64_MAX = 2n ** 63n - 1n;
const INT64_MIN = -(2n ** 63n);

/** An int (the nearest of 64 bits), a double, a boolean, or the text itself. */
export function parseTagValue(text: string): AttributeInput {
  if (/^-?\d+$/.test(text)) {
    const value = BigInt(text);
    return value > INT64_MAX ? INT64_MAX : value < INT64_MIN ? INT64_MIN : value;
  }
  if (/^-?\d+\.\d+$/.test(text)) return { double: Number(text) };
  return text === 'true' ? true : text === 'false' ? false : text;
}
