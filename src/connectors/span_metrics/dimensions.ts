/** Attributes of a span, or of its resource, that become dimensions. */
import { ConfigError } from '../../component/errors.js';
import type { Attributes, AttributeValue } from '../../otlp/any-value.js';
import type { AttributeInput } from '../../otlp/attribute-writer.js';
import { compileGlob } from '../../ottl/functions/glob.js';
import type { Dimension } from './config.js';

/** Where dimensions are looked for, the more specific first. */
export interface AttributeSource {
  attribute(key: string): AttributeValue | undefined;
  attributes(): Attributes;
}

type Reader = (
  sources: readonly AttributeSource[],
  found: (name: string, value: AttributeInput) => void,
) => void;

export class Dimensions {
  readonly #readers: readonly Reader[];

  /** Throws ConfigError for a pattern that is none. */
  constructor(dimensions: readonly Dimension[]) {
    this.#readers = dimensions.map(readerOf);
  }

  /** Calls `found` for each dimension that has a value. */
  read(sources: readonly AttributeSource[], found: (name: string, value: AttributeInput) => void): void {
    for (const reader of this.#readers) reader(sources, found);
  }
}

function readerOf({ name, default: fallback, glob }: Dimension): Reader {
  if (name !== undefined) {
    return (sources, found) => {
      for (const source of sources) {
        const value = source.attribute(name);
        if (value === undefined) continue;
        found(name, asInput(value));
        return;
      }
      if (fallback !== undefined) found(name, fallback);
    };
  }
  const matches = compileGlob(glob ?? '');
  if (matches === undefined) throw new ConfigError(`dimension glob ${JSON.stringify(glob)} is no pattern`);
  return (sources, found) => {
    const seen = new Set<string>();
    for (const source of sources) {
      for (const [key, value] of Object.entries(source.attributes())) {
        if (seen.has(key) || !matches(key)) continue;
        seen.add(key);
        found(key, asInput(value));
      }
    }
  };
}

/** Maps inside of values become text: a dimension is compared as a whole. */
export function asInput(value: AttributeValue): AttributeInput {
  if (value === null || typeof value !== 'object' || value instanceof Uint8Array) return value;
  if (Array.isArray(value) && value.every((one) => typeof one !== 'object')) return value as AttributeInput;
  return JSON.stringify(value, (_, inner: unknown) => (typeof inner === 'bigint' ? Number(inner) : inner));
}

/** A text for a value, different for different values. */
export const keyOf = (value: AttributeInput): string =>
  typeof value === 'string' ? value : `\u0002${typeof value}${String(value)}`;
