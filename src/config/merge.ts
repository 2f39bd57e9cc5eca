import { type ConfigNode, type Entry, toPlain } from './node.js';

/** Paths of the lists that `append` joins: those that name components under `service`, and no others. */
const JOINED = /^service (?:extensions|(?:\S+ )*(?:receivers|exporters))$/;

/**
 * Lays `over` on `base` with the Collector's rules: maps are merged key by key, lists and scalars are replaced, and a
 * null in `over` wipes what was there. With `append` (feature gate `confmap.enableMergeAppendOption`) the lists of
 * extensions, receivers and exporters under `service` get what they do not have yet at their end.
 */
export const mergeNodes = (
  base: ConfigNode,
  over: ConfigNode,
  lists: 'replace' | 'append' = 'replace',
): ConfigNode => merge(base, over, lists, []);

function merge(
  base: ConfigNode,
  over: ConfigNode,
  lists: 'replace' | 'append',
  path: readonly string[],
): ConfigNode {
  if (lists === 'append' && base.kind === 'list' && over.kind === 'list' && JOINED.test(path.join(' '))) {
    const known = new Set(base.items.map((item) => JSON.stringify(toPlain(item))));
    const added = over.items.filter((item) => !known.has(JSON.stringify(toPlain(item))));
    return { ...over, items: [...base.items, ...added] };
  }
  if (base.kind !== 'map' || over.kind !== 'map') return over;
  const entries = new Map<string, Entry>(base.entries);
  for (const [key, { node, position }] of over.entries) {
    const before = entries.get(key);
    const merged = before === undefined ? node : merge(before.node, node, lists, [...path, key]);
    entries.set(key, { node: merged, position });
  }
  return { ...over, entries };
}
