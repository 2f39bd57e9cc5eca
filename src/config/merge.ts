import type { ConfigNode, Entry } from './node.js';

/**
 * Lays `over` on `base` with the Collector's rules: maps are merged key by key, lists and scalars are replaced, and a
 * null in `over` wipes what was there.
 */
export function mergeNodes(base: ConfigNode, over: ConfigNode): ConfigNode {
  if (base.kind !== 'map' || over.kind !== 'map') return over;
  const entries = new Map<string, Entry>(base.entries);
  for (const [key, entry] of over.entries) {
    const before = entries.get(key);
    entries.set(
      key,
      before === undefined ? entry : { node: mergeNodes(before.node, entry.node), position: entry.position },
    );
  }
  return { ...over, entries };
}
