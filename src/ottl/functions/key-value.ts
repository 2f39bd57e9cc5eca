import type { TypedValue } from '../../otlp/typed-value.js';
import { OttlError } from '../values.js';

/** Parts of a text between delimiters outside of quotes. Outer quotes go away, and so do empty parts. */
export function splitQuoted(text: string, delimiter: string): string[] {
  const parts: string[] = [];
  let part = '';
  let quote = '';
  let escaped = false;
  for (let at = 0; at < text.length; at++) {
    const char = text[at]!;
    if (quote === '' && text.startsWith(delimiter, at)) {
      if (part !== '') parts.push(part);
      part = '';
      at += delimiter.length - 1;
      continue;
    }
    if (escaped) escaped = false;
    else if (quote === '' && (char === '"' || char === "'")) {
      quote = char;
      continue;
    } else if (char === quote) {
      quote = '';
      continue;
    } else escaped = char === '\\';
    part += char;
  }
  if (quote !== '') {
    throw new OttlError(
      `splitting source ${JSON.stringify(text)} into pairs failed: never reached the end of a quoted value`,
    );
  }
  if (part !== '') parts.push(part);
  return parts;
}

/** `key=value` of each part, without space around either. */
export function parseKeyValuePairs(parts: readonly string[], delimiter: string): Map<string, TypedValue> {
  const pairs = new Map<string, TypedValue>();
  const bad: string[] = [];
  for (const part of parts) {
    const at = part.indexOf(delimiter);
    if (at < 0) bad.push(`cannot split ${JSON.stringify(part)} into 2 items, got 1 item(s)`);
    else pairs.set(part.slice(0, at).trim(), part.slice(at + delimiter.length).trim());
  }
  if (bad.length > 0) throw new OttlError(`failed to split pairs into key-values: ${bad.join('; ')}`);
  return pairs;
}
