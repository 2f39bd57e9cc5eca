/**
 * Is this connection HTTP/1.x, and which end asks? Decided by content, whatever the port, from the first message that
 * can be read. Everything else is remembered as not HTTP and costs one look-up for each record from then on.
 *
 * Turns that pass before the decision are not forgotten: once it has fallen, the requests among them are counted.
 */
import { isProbableRequest, startKind } from '../protocols/http1/start-line.js';
import { StreamCursor } from './stream-cursor.js';
import type { NetDataRecord } from './types.js';

/** Messages whose first byte was certainly seen and was no start line, after which the connection is not HTTP. */
const CERTAIN = 2;
/** The same for first records of which that is not certain: records may be lost, or the agent came late. */
const UNCERTAIN = 64;

/** `probable_request`: the first bytes of what may become a request line. */
export type Recognition = 'request' | 'probable_request' | 'response' | 'other' | 'undecided';

export class ExchangeRecognition {
  /** Last turn whose records were looked at. */
  turn: number;
  #certain = 0;
  #uncertain = 0;
  readonly #received = new StreamCursor();
  readonly #sent = new StreamCursor();

  /** `turn`: the last turn that is accounted for already. */
  constructor(turn: number) {
    this.turn = turn;
  }

  /**
   * Looks at a record. `fresh`: the connection was opened under our eyes, so that turn 1 begins with its first byte.
   */
  look(record: NetDataRecord, fresh: boolean): Recognition {
    const cursor = record.egress ? this.#sent : this.#received;
    const contiguous = cursor.known && cursor.distance(record.position) === 0;
    cursor.begin(record.position);
    cursor.advance(Math.max(0, cursor.distance(record.position) + record.length));
    if (record.turn === this.turn) return 'undecided';
    const next = record.turn === this.turn + 1;
    this.turn = record.turn;

    const { bytes, payloadStart, payloadEnd } = record;
    if (payloadEnd === payloadStart) return this.failed(false);
    const kind = startKind(bytes, payloadStart, payloadEnd);
    if (kind === 'request' || kind === 'response') return kind;
    if (kind === 'undecided') {
      if (isProbableRequest(bytes, payloadStart, payloadEnd)) return 'request';
      // A few bytes of a start line that is sent in pieces: the reader finds out.
      if (fresh && record.turn === 1 && payloadEnd - payloadStart === record.length)
        return 'probable_request';
    }
    return this.failed(contiguous && next && kind === 'other');
  }

  /** A message turned out to be no HTTP. */
  failed(certain: boolean): Recognition {
    if (certain) this.#certain++;
    else this.#uncertain++;
    return this.#certain >= CERTAIN || this.#uncertain >= UNCERTAIN ? 'other' : 'undecided';
  }
}
