/**
 * Is this connection HTTP/1.x, and which end asks? Decided by content, whatever the port, from the first message that
 * can be read. Everything else is remembered as not HTTP and costs one look-up for each record from then on.
 *
 * Turns that pass before the decision are not forgotten: once it has fallen, the requests among them are counted.
 */
import { isProbableRequest, startKind } from '../protocols/http1/start-line.js';
import type { NetDataRecord } from './types.js';

/** First records of messages that an old connection gets to show a start line (it may be inside a long body). */
const ATTEMPTS = 4;

/** `probable_request`: the first bytes of what may become a request line. */
export type Recognition = 'request' | 'probable_request' | 'response' | 'other' | 'undecided';

export class ExchangeRecognition {
  /** Last turn whose records were looked at. */
  turn: number;
  #attempts = 0;

  /** `turn`: the last turn that is accounted for already. */
  constructor(turn: number) {
    this.turn = turn;
  }

  /**
   * Looks at the first record of a message. `fresh`: the connection was opened under our eyes, so its first byte is the
   * first byte of a message.
   */
  look(record: NetDataRecord, fresh: boolean): Recognition {
    if (record.turn === this.turn) return 'undecided';
    const contiguous = fresh && record.turn === 1;
    this.turn = record.turn;
    const { bytes, payloadStart, payloadEnd } = record;
    if (payloadEnd === payloadStart) return this.#again(false);
    const kind = startKind(bytes, payloadStart, payloadEnd);
    if (kind === 'request' || kind === 'response') return kind;
    if (kind === 'undecided') {
      if (isProbableRequest(bytes, payloadStart, payloadEnd)) return 'request';
      // A few bytes of a start line that is sent in pieces: the reader finds out.
      if (contiguous && payloadEnd - payloadStart === record.length) return 'probable_request';
    }
    return this.#again(contiguous);
  }

  #again(contiguous: boolean): Recognition {
    return contiguous || ++this.#attempts >= ATTEMPTS ? 'other' : 'undecided';
  }
}
