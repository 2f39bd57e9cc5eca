/**
 * Which servers speak HTTP/1.x, by address and port. Only used to count: when every record that could have shown the
 * protocol of a connection was lost, its lost messages count as requests if other connections to the same server are
 * HTTP, now or later.
 */
const MAX_ENDPOINTS = 1024;

type Side = 'server' | 'client';
/** Why nothing was seen of them; see `exchange-counters.ts`. */
type Reason = 'ring_full' | 'not_captured';
export type KeptLosses = Readonly<Record<Side, Readonly<Record<Reason, number>>>>;

export class HttpEndpoints {
  readonly #http = new Set<string>();
  /** Lost messages of connections that were never recognized. */
  readonly #waiting = new Map<string, Record<Side, Record<Reason, number>>>();

  /** `key` speaks HTTP. Returns the requests that were kept back for it until now. */
  confirm(key: string): KeptLosses | undefined {
    if (this.#http.has(key)) return undefined;
    makeRoom(this.#http);
    this.#http.add(key);
    const kept = this.#waiting.get(key);
    this.#waiting.delete(key);
    return kept;
  }

  isHttp(key: string): boolean {
    return this.#http.has(key);
  }

  /** `count` messages to a server that is not known as HTTP were lost at `side`. */
  keep(key: string, side: Side, reason: Reason, count: number): void {
    let waiting = this.#waiting.get(key);
    if (waiting === undefined) {
      makeRoom(this.#waiting);
      waiting = { server: { ring_full: 0, not_captured: 0 }, client: { ring_full: 0, not_captured: 0 } };
      this.#waiting.set(key, waiting);
    }
    waiting[side][reason] += count;
  }
}

function makeRoom(collection: Set<string> | Map<string, unknown>): void {
  if (collection.size < MAX_ENDPOINTS) return;
  const oldest = collection.keys().next().value;
  if (oldest !== undefined) collection.delete(oldest);
}
