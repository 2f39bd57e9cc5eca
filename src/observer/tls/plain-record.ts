import type { NetDataRecord, SocketTuple } from '../types.js';
import type { TlsDataRecord } from './tls-records.js';

const NOWHERE: SocketTuple = {
  family: 'inet',
  localAddress: '',
  localPort: 0,
  remoteAddress: '',
  remotePort: 0,
};

/**
 * Plaintext as a movement of bytes on its socket. What is read has the time at which the caller got it, what is written
 * the time at which it was handed over: so the server's part of an exchange lies within the client's.
 */
export class PlainRecord implements NetDataRecord {
  readonly time: number;
  readonly tgid: number;
  readonly tid: number;
  readonly length: number;
  readonly egress: boolean;
  readonly continuation = false;
  readonly noMemory = false;
  readonly shed = false;
  readonly repeatsTail = false;
  readonly transport = 'tcp';
  /** Whether the stream is seen from its beginning is not known, so the connection's role says nothing either. */
  readonly role = 0;
  readonly bytes: Buffer;
  readonly payloadStart: number;
  readonly payloadEnd: number;
  readonly tailStart: number;
  socketCookie = 0;
  position: number;
  turn: number;
  tuple = NOWHERE;

  /** `keep`: copies the content, which otherwise is the slab's. */
  constructor(record: TlsDataRecord, keep = false) {
    const { payloadStart, payloadEnd, tailStart } = record;
    this.time = record.egress ? record.start : record.time;
    this.tgid = record.tgid;
    this.tid = record.tid;
    this.length = record.length;
    this.egress = record.egress;
    this.position = record.position;
    this.turn = record.turn;
    // The tail is right before the payload: one copy takes both.
    const from = Math.min(tailStart, payloadStart);
    const shift = keep ? from : 0;
    this.bytes = keep ? Buffer.from(record.bytes.subarray(from, payloadEnd)) : record.bytes;
    this.payloadStart = payloadStart - shift;
    this.payloadEnd = payloadEnd - shift;
    this.tailStart = tailStart - shift;
  }

  place(cookie: number, tuple: SocketTuple, base: number, turnBase: number): void {
    this.socketCookie = cookie;
    this.tuple = tuple;
    this.position = (this.position + base) >>> 0;
    this.turn -= turnBase;
  }
}
