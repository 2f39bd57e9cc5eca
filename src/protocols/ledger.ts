import type { ProtocolCount } from './counters.js';
import { WireExchange } from './exchange.js';
import type { CloseReason, LossReason, MessageExtent } from './protocol.js';

/** Where exchanges of one connection go. */
export interface ExchangeOutput {
  /** The request was read, with its context. Comes before `finished`. */
  begun?(exchange: WireExchange): void;
  finished(exchange: WireExchange): void;
}

/** The open exchanges of one connection, oldest first, and the counting of what becomes of them. */
export class ExchangeLedger {
  readonly #output: ExchangeOutput;
  readonly #open = new Set<WireExchange>();
  /** Begun, and not told of yet: the parser has not said everything about them. */
  readonly #untold: WireExchange[] = [];
  /** Counts of each open exchange's protocol: a connection may change it (`ParserHost.become`). */
  readonly #countOf: (name: string) => ProtocolCount;

  constructor(output: ExchangeOutput, countOf: (name: string) => ProtocolCount) {
    this.#output = output;
    this.#countOf = countOf;
  }

  /** Exchanges that are neither finished nor lost yet. */
  get held(): number {
    return this.#open.size;
  }

  begin<D extends object>(count: ProtocolCount, name: string, detail: D, request: MessageExtent) {
    const exchange = new WireExchange<D>(name, detail, request.first, request.last, request.length);
    if (request.gap) exchange.incomplete = 'gap';
    count.begun++;
    this.#open.add(exchange);
    if (this.#output.begun !== undefined) this.#untold.push(exchange);
    return exchange;
  }

  finish(
    exchange: WireExchange,
    response: MessageExtent | undefined,
    incomplete?: WireExchange['incomplete'],
  ) {
    if (exchange.over) return;
    if (response !== undefined) {
      exchange.responseGrew(response.first, response.last, response.length);
      if (response.gap) exchange.incomplete ??= 'gap';
    }
    exchange.incomplete = incomplete ?? exchange.incomplete;
    if (this.#untold.includes(exchange)) this.#output.begun?.(exchange);
    this.#over(exchange);
    this.#countOf(exchange.protocol).finished++;
    this.#output.finished(exchange);
  }

  /** The parser is done with the bytes it was given: what began in them can be told. */
  settle(): void {
    if (this.#untold.length === 0) return;
    for (const exchange of this.#untold) if (!exchange.over) this.#output.begun?.(exchange);
    this.#untold.length = 0;
  }

  /** The open exchange whose request begins at `offset` of its stream. */
  requestAt(offset: number): WireExchange | undefined {
    for (const exchange of this.#open) if (exchange.requestOffset === offset) return exchange;
    return undefined;
  }

  drop(exchange: WireExchange, reason: LossReason): void {
    if (exchange.over) return;
    this.#over(exchange);
    this.#countOf(exchange.protocol).lost[reason]++;
  }

  /** Nothing was heard for longer than a response may take; streams and long polls go on. */
  timeOut(time: number): void {
    for (const exchange of this.#open) if (!exchange.waiting) this.#end(exchange, 'no_response', time);
  }

  /** The connection is over or forgotten. */
  close(reason: CloseReason, time: number): void {
    for (const exchange of this.#open) {
      if (reason === 'closed') {
        // A subscription, stream or long poll ends with its connection: nobody waited for more.
        if (exchange.waiting) this.finish(exchange, undefined);
        else this.#end(exchange, 'no_response', time);
      } else if (reason === 'reset') this.#end(exchange, 'reset', time);
      else if (exchange.responseStart !== 0) this.finish(exchange, undefined, 'gap');
      else this.drop(exchange, reason);
    }
  }

  /** The parser that would have ended them is gone. */
  abandon(reason: LossReason): void {
    for (const exchange of this.#open) {
      if (exchange.responseStart !== 0) this.finish(exchange, undefined, 'gap');
      else this.drop(exchange, reason);
    }
  }

  #end(exchange: WireExchange, incomplete: 'no_response' | 'reset', time: number): void {
    if (exchange.responseStart !== 0) {
      this.finish(exchange, undefined, incomplete === 'reset' ? 'reset' : 'gap');
      return;
    }
    exchange.responseStart = time;
    exchange.responseEnd = time;
    this.finish(exchange, undefined, incomplete);
  }

  #over(exchange: WireExchange): void {
    exchange.over = true;
    this.#open.delete(exchange);
  }
}
