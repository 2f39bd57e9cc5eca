import { typedValue } from './go-format.js';
import type { KeyValue } from './otlp-json.js';

/** A header and a line for each attribute, five columns further in than the header's own arrow; nothing for none. */
export function attributeLines(header: string, attributes: readonly KeyValue[] = []): string[] {
  if (attributes.length === 0) return [];
  const indent = header.includes('->') ? header.slice(0, header.indexOf('->')) : '';
  return [
    `${header}:`,
    ...attributes.map(({ key = '', value }) => `${indent}     -> ${key}: ${typedValue(value)}`),
  ];
}
