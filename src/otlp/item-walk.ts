/**
 * Items of a batch with the groups around them, and batches rebuilt from decisions about their items.
 *
 * Item: a span, a metric (not a data point) or a log record.
 */
import { countBatch } from './count.js';
import { GroupWriter, walkItems } from './groups.js';
import { MessageNode } from './message-node.js';
import type { BatchPart } from './reshape.js';
import { field, WireReader } from './wire-reader.js';
import { WireWriter } from './wire-writer.js';

const FIRST = field.delimited(1);
const SECOND = field.delimited(2);

/**
 * Calls `visit` for each item, in order, with the ResourceSpans (ResourceMetrics, ResourceLogs) and the ScopeSpans (…) it
 * lies in. Nodes of groups are the same objects for all their items. Nothing is opened: edits of an item stay in its node.
 */
export function walkItemNodes(
  bytes: Uint8Array,
  visit: (item: MessageNode, resourceGroup: MessageNode, scopeGroup: MessageNode) => void,
): void {
  const outer = new WireReader(bytes);
  const middle = new WireReader();
  const inner = new WireReader();
  for (let tag = outer.next(); tag !== 0; tag = outer.next()) {
    if (tag !== FIRST) continue;
    const resourceGroup = new MessageNode(bytes, outer.start, outer.pos);
    middle.reset(bytes, outer.start, outer.pos);
    for (let child = middle.next(); child !== 0; child = middle.next()) {
      if (child !== SECOND) continue;
      const scopeGroup = new MessageNode(bytes, middle.start, middle.pos);
      inner.reset(bytes, middle.start, middle.pos);
      for (let item = inner.next(); item !== 0; item = inner.next()) {
        if (item !== SECOND) continue;
        visit(new MessageNode(bytes, inner.start, inner.pos), resourceGroup, scopeGroup);
      }
    }
  }
}

/** Whether an item stays; or the message that takes its place. */
export type ItemDecision = boolean | Uint8Array;

/**
 * The batch with decisions carried out, one for each item in the order of `walkItemNodes`. Groups that become empty go
 * away. Gives `bytes` itself when all items stay.
 */
export function applyDecisions(
  signal: 'traces' | 'metrics' | 'logs',
  bytes: Uint8Array,
  decisions: readonly ItemDecision[],
): BatchPart {
  if (decisions.every((decision) => decision === true))
    return { bytes, itemCount: countBatch(signal, bytes) };
  const writer = new GroupWriter(bytes.length);
  let index = 0;
  walkItems(bytes, (item, scope) => {
    const decision = decisions[index++];
    if (decision === true) writer.add(scope, item.fieldStart, item.end);
    else if (decision instanceof Uint8Array) {
      const replaced = new WireWriter(decision.length + 8);
      replaced.bytesField(SECOND, decision);
      writer.addField(scope, replaced.finish());
    }
  });
  const rest = writer.finish();
  return { bytes: rest, itemCount: countBatch(signal, rest) };
}
