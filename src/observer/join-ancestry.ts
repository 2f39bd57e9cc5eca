/**
 * Which request an inner span belongs to: the one of its nearest ancestor that was found on the wire. Children arrive
 * before their parents, often in an earlier batch, so all recent spans are remembered; where the ancestor is not among
 * them, the only request of the same trace in the same process that covers the span stands for it.
 */
import type { JoinExchanges } from './join-exchanges.js';
import type { Evidence } from './join-plan.js';
import type { JoinSpan } from './join-span.js';
import type { Exchange } from './types.js';

export interface Ancestor {
  readonly exchange: Exchange;
  readonly evidence: Evidence;
}

interface Known {
  readonly parentKey: string | undefined;
  ancestor: Ancestor | undefined;
}

const MAX_SPANS = 50_000;
const MAX_DEPTH = 64;
const INHERITED = 0.85;
/** A child may stick out of its request by clock errors, and by what is done after the response. */
const SLACK_NS = 2_000_000;

export class JoinAncestry {
  readonly #exchanges: JoinExchanges;
  readonly #spans = new Map<string, Known>();

  constructor(exchanges: JoinExchanges) {
    this.#exchanges = exchanges;
  }

  /** Called for every span before any is looked up. */
  note(span: JoinSpan): void {
    if (this.#spans.size >= MAX_SPANS) {
      // Maps keep the order of insertion: the first eighth is the oldest.
      let count = MAX_SPANS >> 3;
      for (const key of this.#spans.keys()) {
        if (count-- === 0) break;
        this.#spans.delete(key);
      }
    }
    this.#spans.set(span.traceId + span.spanId, {
      parentKey: span.parentSpanId === '' ? undefined : span.traceId + span.parentSpanId,
      ancestor: undefined,
    });
  }

  /** The span stands for the request `exchange` (server side). */
  found(span: JoinSpan, exchange: Exchange, evidence: Evidence): void {
    const known = this.#spans.get(span.traceId + span.spanId);
    if (known !== undefined) known.ancestor = { exchange, evidence };
  }

  /** The request that `span` is a part of, in the process `sender`. */
  ancestorOf(span: JoinSpan, sender: number | undefined): Ancestor | undefined {
    let key = span.parentSpanId === '' ? undefined : span.traceId + span.parentSpanId;
    for (let depth = 0; key !== undefined && depth < MAX_DEPTH; depth++) {
      const known = this.#spans.get(key);
      if (known === undefined) break;
      if (known.ancestor !== undefined) {
        const { exchange, evidence } = known.ancestor;
        // A parent in another process says nothing about this process' threads.
        if (sender !== undefined && exchange.tgid !== sender) return undefined;
        return covers(exchange, span) ? { exchange, evidence: inherited(evidence.words) } : undefined;
      }
      key = known.parentKey;
    }
    return this.#byTrace(span, sender);
  }

  #byTrace(span: JoinSpan, sender: number | undefined): Ancestor | undefined {
    if (sender === undefined) return undefined;
    const requests = this.#exchanges
      .serversOfTrace(span.traceId)
      .filter(({ exchange }) => exchange.tgid === sender && covers(exchange, span));
    const [only] = requests;
    if (only === undefined || requests.length > 1) return undefined;
    return { exchange: only.exchange, evidence: inherited('traceparent') };
  }
}

const inherited = (words: string): Evidence => ({ words: `${words},inherited`, confidence: INHERITED });

const covers = (exchange: Exchange, span: JoinSpan): boolean =>
  span.start >= exchange.requestStart - SLACK_NS && span.end <= exchange.responseEnd + SLACK_NS;
