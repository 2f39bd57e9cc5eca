/** Says whether a component of a new configuration is the one that runs already. */
import { statSync } from 'node:fs';
import type { ConfigNode } from './node.js';

/** Keys whose value names a file that a component reads when it starts: `cert_file`, `file`, `filename`. */
const FILE_KEY = /(?:^|_)file(?:name)?$/;

/**
 * A text that is equal for equal settings. The order of keys does not count. Certificates and password files are part of
 * the settings that name them: a SIGHUP after they were replaced restarts the components that read them.
 */
export function fingerprintOf(node: ConfigNode): string {
  return JSON.stringify(comparable(node, ''));
}

function comparable(node: ConfigNode, key: string): unknown {
  if (node.kind === 'list') return node.items.map((item) => comparable(item, key));
  if (node.kind === 'map') {
    return [...node.entries]
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, entry]) => [name, comparable(entry.node, name)]);
  }
  const text = node.text ?? String(node.value);
  const value = [typeof node.value, text];
  return typeof node.value === 'string' && FILE_KEY.test(key) ? [...value, versionOf(text)] : value;
}

/** Changes when the file does, as far as a look at its metadata can tell. */
function versionOf(path: string): string {
  const found = statSync(path, { throwIfNoEntry: false, bigint: true });
  return found === undefined ? 'none' : `${found.dev} ${found.ino} ${found.size} ${found.mtimeNs}`;
}
