import type { AttributeInput, AttributesInput } from '../otlp/attribute-writer.js';

/**
 * One text for each set of attributes, whatever their order. Values of different types differ. Entries whose value is
 * undefined do not count.
 */
export function seriesKey(attributes: AttributesInput): string {
  let key = '';
  for (const name of Object.keys(attributes).sort()) {
    const value = attributes[name];
    if (value !== undefined) key += `${name}\u0000${valueKey(value)}\u0001`;
  }
  return key;
}

function valueKey(value: AttributeInput): string {
  if (typeof value === 'string') return `s${value}`;
  if (typeof value !== 'object') return `${typeof value}${String(value)}`;
  return JSON.stringify(value, (_, inner: unknown) => (typeof inner === 'bigint' ? `${inner}n` : inner));
}
