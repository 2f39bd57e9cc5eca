import { walkItemNodes } from '../../otlp/item-walk.js';
import type { MessageNode } from '../../otlp/message-node.js';

/** A span of a trace with the groups it came in. */
export interface TraceSpan {
  readonly span: MessageNode;
  readonly resourceGroup: MessageNode;
  readonly scopeGroup: MessageNode;
}

/** What policies look at: a trace as far as it has arrived. */
export class TraceData {
  readonly traceId: Uint8Array;
  readonly spanCount: number;
  readonly sizeBytes: number;
  readonly #parts: readonly Uint8Array[];
  #spans: TraceSpan[] | undefined;

  constructor(traceId: Uint8Array, spanCount: number, parts: readonly Uint8Array[]) {
    this.traceId = traceId;
    this.spanCount = spanCount;
    this.sizeBytes = parts.reduce((sum, part) => sum + part.length, 0);
    this.#parts = parts;
  }

  /** All spans, in order of arrival. */
  get spans(): readonly TraceSpan[] {
    if (this.#spans === undefined) {
      const spans: TraceSpan[] = [];
      for (const part of this.#parts) {
        walkItemNodes(part, (span, resourceGroup, scopeGroup) => {
          spans.push({ span, resourceGroup, scopeGroup });
        });
      }
      this.#spans = spans;
    }
    return this.#spans;
  }
}
