import type { TriggerSpan } from './trigger-span.js';

/** Whether a span has one of some names. */
export type NamePattern = (span: Pick<TriggerSpan, 'name' | 'request'>) => boolean;

/** A name is that of the span or its request (`GET /cart`); a `*` in it stands for any characters. */
export function namePattern(names: readonly string[]): NamePattern {
  const exact = new Set(names.filter((name) => !name.includes('*')));
  const parts = names.filter((name) => name.includes('*')).map((name) => name.split('*'));
  const fits = (text: string): boolean => exact.has(text) || parts.some((pattern) => matches(pattern, text));
  return ({ name, request }) => fits(name) || (request !== undefined && request !== name && fits(request));
}

/** Takes each part at its first place after the one before: linear, whatever the pattern. */
function matches(parts: readonly string[], text: string): boolean {
  const first = parts[0]!;
  const last = parts.at(-1)!;
  if (text.length < first.length + last.length) return false;
  if (!text.startsWith(first) || !text.endsWith(last)) return false;
  const end = text.length - last.length;
  let at = first.length;
  for (const part of parts.slice(1, -1)) {
    const found = text.indexOf(part, at);
    if (found < 0 || found + part.length > end) return false;
    at = found + part.length;
  }
  return true;
}
