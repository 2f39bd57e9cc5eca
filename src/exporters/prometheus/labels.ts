import type { Attributes, AttributeValue } from '../../otlp/any-value.js';
import { escapeLabelName, isPlainName } from './naming.js';

export type LabelPairs = ReadonlyMap<string, string>;

/** Attributes as labels. Names that become equal share one label, whose value has all of theirs. */
export function addLabels(
  into: Map<string, string>,
  attributes: Attributes,
  nameOf: (name: string) => string,
): void {
  const own = new Map<string, string>();
  for (const key of Object.keys(attributes).sort()) {
    const name = nameOf(key);
    if (name === '') continue;
    const value = valueText(attributes[key]!);
    const other = own.get(name);
    own.set(name, other === undefined ? value : `${other};${value}`);
  }
  for (const [name, value] of own) into.set(name, value);
}

/** As the Collector writes values of attributes. */
export function valueText(value: AttributeValue): string {
  if (value === null) return '';
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64');
  if (typeof value !== 'object') return String(value);
  return JSON.stringify(value, (_, inner: unknown) => (typeof inner === 'bigint' ? Number(inner) : inner));
}

/** `a="b",c="d"`, in order of names. Names that are not plain are quoted, or made plain when `escaped`. */
export function labelText(labels: LabelPairs, escaped: boolean): string {
  const names = new Map<string, string>();
  for (const [name, value] of labels) {
    if (value === '') continue;
    names.set(escaped ? escapeLabelName(name) : name, value);
  }
  return [...names]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => `${isPlainName(name) ? name : quote(name)}=${quote(value)}`)
    .join(',');
}

export const quote = (text: string): string =>
  `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')}"`;
