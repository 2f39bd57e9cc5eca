/** Trace and span ids as Zipkin spells them: hexadecimal without leading zeros, 64 or 128 bits. */
import { ZipkinError } from './model.js';

/** 16 digits. Throws `ZipkinError` with the sentence of Go's `strconv.ParseUint`. */
function parseHex64(text: string): string {
  if (!/^[0-9a-fA-F]+$/.test(text))
    throw new ZipkinError(`strconv.ParseUint: parsing ${JSON.stringify(text)}: invalid syntax`);
  const digits = text.replace(/^0+/, '');
  if (digits.length > 16)
    throw new ZipkinError(`strconv.ParseUint: parsing ${JSON.stringify(text)}: value out of range`);
  return digits.toLowerCase().padStart(16, '0');
}

export const parseSpanId = (text: string): string => parseHex64(text);

/** 32 digits; a 64-bit id is padded on the left. */
export function parseTraceId(text: string): string {
  if (text.length <= 16) return '0'.repeat(16) + parseHex64(text);
  return parseHex64(text.slice(0, -16)) + parseHex64(text.slice(-16));
}

export const ZERO_SPAN_ID = '0'.repeat(16);
