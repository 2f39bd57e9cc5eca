/**
 * Which resources of a batch go to which file, and how the file is called. Rules of the Collector's file exporter
 * (exporter/fileexporter/grouping_file_exporter.go, v0.159.0), but no group loses the dictionary of profiles.
 */
import { posix } from 'node:path';
import type { Signal } from '../../component/signal.js';
import { countBatch } from '../../otlp/count.js';
import { ResourceView } from '../../otlp/group-view.js';
import { field, WireReader } from '../../otlp/wire-reader.js';

const RESOURCE_GROUP = field.delimited(1);

/** A batch of the resources with one text. */
export interface Grouped {
  readonly bytes: Uint8Array;
  readonly itemCount: number;
}

/**
 * Batches by the text of the attribute, in the order of its first appearance; resources without it as a text are in none.
 * Throws `MalformedError`.
 */
export function groupBy(signal: Signal, bytes: Uint8Array, attribute: string): Map<string, Grouped> {
  const resources = new Map<string, Uint8Array[]>();
  const common: Uint8Array[] = [];
  const reader = new WireReader(bytes, 0, bytes.length);
  for (;;) {
    const at = reader.pos;
    const tag = reader.next();
    if (tag === 0) break;
    const whole = bytes.subarray(at, reader.pos);
    if (tag !== RESOURCE_GROUP) {
      common.push(whole);
      continue;
    }
    const segment = new ResourceView(bytes, reader.start, reader.pos).attribute(attribute);
    if (typeof segment !== 'string') continue;
    const parts = resources.get(segment);
    if (parts === undefined) resources.set(segment, [whole]);
    else parts.push(whole);
  }
  const groups = new Map<string, Grouped>();
  for (const [segment, parts] of resources) {
    const group = Buffer.concat([...parts, ...common]);
    groups.set(segment, { bytes: group, itemCount: countBatch(signal, group) });
  }
  return groups;
}

/** `path` with `segment` for its `*`. Never outside of what stands before the `*`, whatever the segment says. */
export function pathOf(path: string, segment: string): string {
  const [before = '', after = ''] = path.split('*');
  const prefix = posix.normalize(before);
  const inside = segment.replace(/^\.\.?(?=\/)/, '');
  const full = posix.normalize(prefix + inside + after);
  return full.startsWith(prefix) ? full : posix.join(prefix, posix.join('/', inside + after));
}
