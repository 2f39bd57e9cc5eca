/** Paths looked up in tables: what all contexts share. */
import type { Access, Getter } from '../context.js';

/** A path after its context, with the keys of each segment made ready. */
export interface PathParts {
  readonly names: readonly string[];
  /** Keys of each name, parallel to `names`. */
  readonly keys: readonly (readonly Getter[])[];
}

/** The place, or undefined and the index of the name that leads nowhere. */
export type PathResult = Access | { readonly unknown: number };

/** Refuses segments and keys that a path has too many. For resolvers. */
export function refuseRest({ names, keys }: PathParts, used: number): void {
  const extra = names[used];
  if (extra !== undefined) {
    throw new Error(
      `the path section ${JSON.stringify(extra)} was not used by the context - this likely means you are using extra path sections`,
    );
  }
  const index = keys.findIndex((list, at) => at >= used && list.length > 0);
  if (index >= 0) throw indexError(names[index]!);
}

const indexError = (name: string): Error =>
  new Error(
    `the keys indexing ${JSON.stringify(name)} were not used by the context - this likely means you are trying to index a path that does not support indexing`,
  );

/**
 * Looks a path up in a table. Keys are names joined by dots; an entry that can be indexed is a function of the keys.
 */
export function lookUp(
  parts: PathParts,
  table: Readonly<Record<string, Access | ((keys: readonly Getter[]) => Access)>>,
): PathResult {
  const { names, keys } = parts;
  for (let length = Math.min(names.length, 2); length > 0; length--) {
    const name = names.slice(0, length).join('.');
    if (!Object.hasOwn(table, name)) continue;
    const found = table[name]!;
    // `status.nosuch`: the table knows names below, but not this one.
    const below = Object.keys(table).some((other) => other.startsWith(`${name}.`));
    if (names.length > length && below) return { unknown: length };
    refuseRest(parts, length);
    const own = keys[length - 1]!;
    if (typeof found === 'function') return found(own);
    if (own.length > 0) throw indexError(names[length - 1]!);
    return found;
  }
  const first = `${names[0]}.`;
  return { unknown: names.length > 1 && Object.keys(table).some((name) => name.startsWith(first)) ? 1 : 0 };
}
