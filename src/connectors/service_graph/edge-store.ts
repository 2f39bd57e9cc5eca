import type { Edge } from './edge.js';

/** Edges that wait for their other end. All wait equally long, so the oldest is the first to expire. */
export class EdgeStore {
  readonly #maxItems: number;
  readonly #ttlMs: number;
  readonly #edges = new Map<string, Edge>();

  constructor(maxItems: number, ttlMs: number) {
    this.#maxItems = maxItems;
    this.#ttlMs = ttlMs;
  }

  get size(): number {
    return this.#edges.size;
  }

  /** The edge of that span of a client, or a new one; undefined when there is no room for it. */
  of(
    traceId: string,
    spanId: string,
    nowMs: number,
  ): { readonly edge: Edge; readonly isNew: boolean } | undefined {
    const key = traceId + spanId;
    const known = this.#edges.get(key);
    if (known !== undefined) return { edge: known, isNew: false };
    if (this.#edges.size >= this.#maxItems) return undefined;
    const edge: Edge = {
      traceId,
      spanId,
      expiresAt: nowMs + this.#ttlMs,
      connectionType: '',
      client: undefined,
      server: undefined,
      clientSeconds: undefined,
      serverSeconds: undefined,
      failed: false,
      peer: undefined,
      dimensions: {},
      virtualNode: undefined,
    };
    this.#edges.set(key, edge);
    return { edge, isNew: true };
  }

  remove({ traceId, spanId }: Edge): void {
    this.#edges.delete(traceId + spanId);
  }

  /** Takes those out that have waited too long. */
  *expire(nowMs: number): Iterable<Edge> {
    for (const edge of this.#edges.values()) {
      if (edge.expiresAt > nowMs) return;
      this.remove(edge);
      yield edge;
    }
  }
}
