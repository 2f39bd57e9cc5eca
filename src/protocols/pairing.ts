/**
 * The two ways in which a response finds its request. Both skip exchanges that the host has ended meanwhile (timeout), and
 * are bounded by `ProtocolOptions.maxOpen`.
 */
import type { WireExchange } from './exchange.js';
import type { MessageExtent, ParserHost } from './protocol.js';

/** In order: the n-th response answers the n-th request. */
export class OrderedPairing<D extends object> {
  readonly #host: ParserHost<D>;
  readonly #queue: WireExchange<D>[] = [];
  /** Entries before it are gone. */
  #head = 0;

  constructor(host: ParserHost<D>) {
    this.#host = host;
  }

  get size(): number {
    return this.#queue.length - this.#head;
  }

  /** The request that the next response answers; it may be `over` (timed out), and its response still comes. */
  get first(): WireExchange<D> | undefined {
    return this.#queue[this.#head];
  }

  get last(): WireExchange<D> | undefined {
    return this.size === 0 ? undefined : this.#queue.at(-1);
  }

  begin(detail: D, request: MessageExtent): WireExchange<D> {
    const exchange = this.#host.begin(detail, request);
    if (this.size >= this.#host.options.maxOpen) this.#host.drop(exchange, 'over_limit');
    else this.#queue.push(exchange);
    return exchange;
  }

  /** Is there an open request of which `test` is true? */
  some(test: (detail: D) => boolean): boolean {
    for (let i = this.#head; i < this.#queue.length; i++) if (test(this.#queue[i]!.detail)) return true;
    return false;
  }

  /** The first one's response has ended. Without a request, a response is counted as one that was not captured. */
  finish(response: MessageExtent | undefined, incomplete?: 'gap' | 'reset'): void {
    const exchange = this.shift();
    if (exchange !== undefined) this.#host.finish(exchange, response, incomplete);
  }

  /** Takes the first one out; whoever takes it finishes or drops it. */
  shift(): WireExchange<D> | undefined {
    const exchange = this.#queue[this.#head];
    if (exchange === undefined) return undefined;
    this.#head++;
    if (this.#head === this.#queue.length) {
      this.#queue.length = 0;
      this.#head = 0;
    } else if (this.#head >= 64 && this.#head * 2 >= this.#queue.length) {
      this.#queue.splice(0, this.#head);
      this.#head = 0;
    }
    return exchange;
  }

  /** The order is lost: nobody knows whose the next response is. */
  dropAll(reason: 'malformed' | 'not_captured'): void {
    for (let exchange = this.shift(); exchange !== undefined; exchange = this.shift()) {
      this.#host.drop(exchange, reason);
    }
  }
}

/** By an id in the messages. */
export class IdPairing<D extends object, K extends number | string = number> {
  readonly #host: ParserHost<D>;
  readonly #byId = new Map<K, WireExchange<D>>();

  constructor(host: ParserHost<D>) {
    this.#host = host;
  }

  get size(): number {
    return this.#byId.size;
  }

  /** A request with an id that is still open takes its place: the older one is dropped (`not_captured`). */
  begin(id: K, detail: D, request: MessageExtent): WireExchange<D> {
    const host = this.#host;
    const known = this.#byId.get(id);
    if (known !== undefined) {
      host.drop(known, 'not_captured');
      this.#byId.delete(id);
    } else if (this.#byId.size >= host.options.maxOpen) this.#makeRoom();
    const exchange = host.begin(detail, request);
    this.#byId.set(id, exchange);
    return exchange;
  }

  /** An exchange that was begun elsewhere (handed over, one message with several ids). */
  add(id: K, exchange: WireExchange<D>): void {
    if (this.#byId.size >= this.#host.options.maxOpen) this.#makeRoom();
    this.#byId.set(id, exchange);
  }

  get(id: K): WireExchange<D> | undefined {
    return this.#byId.get(id);
  }

  take(id: K): WireExchange<D> | undefined {
    const exchange = this.#byId.get(id);
    if (exchange !== undefined) this.#byId.delete(id);
    return exchange;
  }

  values(): IterableIterator<WireExchange<D>> {
    return this.#byId.values();
  }

  /** The oldest first. */
  entries(): IterableIterator<[K, WireExchange<D>]> {
    return this.#byId.entries();
  }

  dropAll(reason: 'malformed' | 'not_captured'): void {
    for (const exchange of this.#byId.values()) this.#host.drop(exchange, reason);
    this.#byId.clear();
  }

  /** The oldest leaves; those that are over leave first. */
  #makeRoom(): void {
    for (const [id, exchange] of this.#byId) {
      this.#host.drop(exchange, 'over_limit');
      this.#byId.delete(id);
      return;
    }
  }
}
