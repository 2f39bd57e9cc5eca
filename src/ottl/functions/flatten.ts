import type { TypedValue } from '../../otlp/typed-value.js';

export interface FlattenOptions {
  readonly prefix: string;
  /** How many levels are moved to the root. */
  readonly depth: number;
  /** Give a second value of a key another key, instead of losing the first one. */
  readonly resolveConflicts: boolean;
}

/** Moves what is in nested maps and lists to the root: `a: {b: [1]}` becomes `a.b.0: 1`. */
export function flatten(
  map: ReadonlyMap<string, TypedValue>,
  options: FlattenOptions,
): Map<string, TypedValue> {
  const result = new Map<string, TypedValue>();
  const conflicts = new Map<string, number>();

  const put = (key: string, value: TypedValue): void => {
    if (!options.resolveConflicts || !result.has(key)) {
      result.set(key, value);
      return;
    }
    const number = conflicts.get(key) ?? 0;
    conflicts.set(key, number + 1);
    result.set(`${key}.${number}`, value);
  };

  const visit = (key: string, value: TypedValue, depth: number): void => {
    if (value instanceof Map && depth < options.depth) {
      for (const [name, inner] of value) visit(`${key}.${name}`, inner, depth + 1);
    } else if (Array.isArray(value) && depth < options.depth) {
      for (const [index, item] of value.entries()) {
        const nested = (item instanceof Map || Array.isArray(item)) && depth + 1 < options.depth;
        if (nested) visit(`${key}.${index}`, item, depth + 1);
        else put(options.resolveConflicts ? key : `${key}.${index}`, item);
      }
    } else put(key, value);
  };

  const prefix = options.prefix === '' ? '' : `${options.prefix}.`;
  for (const [key, value] of map) visit(prefix + key, value, 0);
  return result;
}
