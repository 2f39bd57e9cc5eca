import type { Segment } from '../protocols/conversation.js';
import type { NetDataRecord } from './types.js';

const NOTHING = Buffer.alloc(0);

/** A record as conversations take it. One object serves all of them. */
export class RecordSegment implements Segment {
  egress = false;
  position = 0;
  length = 0;
  bytes: Buffer = NOTHING;
  start = 0;
  end = 0;
  tail = -1;
  time = 0;
  tgid = 0;
  tid = 0;

  set(record: NetDataRecord): void {
    this.egress = record.egress;
    this.position = record.position;
    this.length = record.length;
    this.bytes = record.bytes;
    this.start = record.payloadStart;
    this.end = record.payloadEnd;
    this.tail = record.tailStart;
    this.time = record.time;
    this.tgid = record.tgid;
    this.tid = record.tid;
  }
}
