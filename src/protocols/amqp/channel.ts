import type { WireExchange } from '../exchange.js';
import { OrderedPairing } from '../pairing.js';
import type { Moment, ParserHost } from '../protocol.js';
import type { AmqpDetail } from './detail.js';

/** A message whose method frame was read: header and body follow on the same channel. */
export interface Content {
  readonly kind: 'publish' | 'deliver' | 'get' | 'return';
  readonly detail: AmqpDetail;
  readonly first: Moment;
  last: Moment;
  length: number;
  gap: boolean;
  /** Bytes of the body that are still to come; -1 while the header is. */
  bodyLeft: number;
  exchange: WireExchange<AmqpDetail> | undefined;
}

export interface Consumer {
  readonly queue: string;
  readonly noAck: boolean;
}

/** Messages that were fetched and are not acknowledged, of each channel. */
const MAX_FETCHED = 1024;
/** Consumers of a channel; deliveries to later ones do not know their queue. */
const MAX_CONSUMERS = 1024;

/** What both ends know of one channel. */
export class Channel {
  /** Methods that the server answers, in order. */
  readonly calls: OrderedPairing<AmqpDetail>;
  /** Messages by delivery tag, of one direction each; a tag acknowledges one or all up to it. */
  readonly published = new Map<number, WireExchange<AmqpDetail>>();
  readonly delivered = new Map<number, WireExchange<AmqpDetail>>();
  readonly #fetched = new Map<number, AmqpDetail>();
  readonly #consumers = new Map<string, Consumer>();
  /** The broker confirms what is published; the tag of the next message. 0: it does not, or the count is lost. */
  nextPublish = 0;
  /** The client has acknowledged something: deliveries to consumers that are not known may be, too. */
  acknowledges = false;
  /** Replies were missed: what stays without one may have had it. */
  missedReplies = false;
  sending: Content | undefined;
  receiving: Content | undefined;

  constructor(host: ParserHost<AmqpDetail>) {
    this.calls = new OrderedPairing(host);
  }

  consumer(tag: string): Consumer | undefined {
    return this.#consumers.get(tag);
  }

  consume(tag: string, consumer: Consumer): void {
    if (this.#consumers.size < MAX_CONSUMERS) this.#consumers.set(tag, consumer);
  }

  cancel(tag: string): void {
    this.#consumers.delete(tag);
  }

  fetched(tag: number, detail: AmqpDetail): void {
    if (this.#fetched.size < MAX_FETCHED) this.#fetched.set(tag, detail);
  }

  takeFetched(tag: number): AmqpDetail | undefined {
    const detail = this.#fetched.get(tag);
    if (detail !== undefined) this.#fetched.delete(tag);
    return detail;
  }

  /** Takes the exchanges that an acknowledgement of `tag` is about, oldest first. */
  *acknowledged(
    open: Map<number, WireExchange<AmqpDetail>>,
    tag: number,
    multiple: boolean,
  ): Generator<WireExchange<AmqpDetail>> {
    if (!multiple) {
      const exchange = open.get(tag);
      if (exchange === undefined) return;
      open.delete(tag);
      yield exchange;
      return;
    }
    // Tags grow, and so do the keys of the map; 0 stands for all.
    for (const [known, exchange] of open) {
      if (tag !== 0 && known > tag) return;
      open.delete(known);
      yield exchange;
    }
  }
}
