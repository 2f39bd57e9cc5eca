/**
 * One direction of a TCP connection, put in order (RFC 9293 section 3.4): segments that come early wait for what is
 * missing before them. A hole is given up when the other end has acknowledged it (so the capture missed it) and nothing
 * has filled it for a while, or when too much waits behind it; what comes next is then handed over at its own position,
 * and whoever gets it sees the jump.
 *
 * Bytes that waited get the time at which the hole was filled: they were of use to nobody before.
 */

/** Bytes in order. Valid during the call. */
export type TakeBytes = (position: number, bytes: Buffer, length: number, time: number) => void;

const NOTHING = Buffer.alloc(0);
const MAX_WAITING_BYTES = 4 * 1024 * 1024;
const MAX_WAITING_SEGMENTS = 1024;
/** Captures from several queues are not in order: an acknowledgement may be before what it acknowledges. */
const PATIENCE_PACKETS = 16;
const PATIENCE_NS = 500e6;

interface Waiting {
  readonly position: number;
  readonly bytes: Buffer;
  readonly length: number;
  readonly time: number;
}

export class TcpStream {
  /** Bytes that were missed by the capture. */
  lostBytes = 0;
  /** Sequence number of the next byte; meaningless until `known`. */
  next = 0;
  known = false;
  /** Everything up to its FIN was handed over. */
  ended = false;
  #fin: number | undefined;
  /** In order of position. */
  readonly #waiting: Waiting[] = [];
  #waitingBytes = 0;
  #acknowledged = 0;
  /** Packets and time since a hole was acknowledged; -1 while it is not. */
  #patience = -1;
  #impatientAt = 0;

  /** Sequence number that the other end acknowledges when it has everything that was handed over. */
  get reached(): number {
    return this.ended ? (this.next + 1) >>> 0 : this.next;
  }

  /** The other end acknowledges something that was not handed over. */
  isBehind(acknowledged: number): boolean {
    return this.known && ((acknowledged - this.reached) | 0) > 0;
  }

  /** Bytes before `position` were received by the other end and will not be seen: goes on behind them. */
  giveUp(position: number, time: number, take: TakeBytes): void {
    while (this.#waiting.length > 0 && ((position - this.#waiting[0]!.position) | 0) > 0) this.#jump(take);
    const missing = (position - this.reached) | 0;
    if (missing > 0) {
      this.lostBytes += missing;
      take(position, NOTHING, 0, time);
      this.next = position;
      this.#drain(0, take);
    }
    this.#checkEnd();
  }

  /** The first byte will be at `position`. */
  start(position: number): void {
    this.known = true;
    this.next = position >>> 0;
  }

  segment(
    position: number,
    bytes: Buffer,
    length: number,
    fin: boolean,
    time: number,
    take: TakeBytes,
  ): void {
    if (!this.known) this.start(position);
    if (fin) this.#fin = (position + length) >>> 0;
    if (length > 0) {
      if (this.#distance(position) > 0) this.#wait(position, bytes, length, time, take);
      else {
        this.#hand(position, bytes, length, time, take);
        this.#drain(time, take);
      }
    }
    this.#checkEnd();
  }

  /** The other end has everything before `position`. Call for each of its packets. */
  acknowledged(position: number, time: number, take: TakeBytes): void {
    if (this.#waiting.length === 0) {
      this.#patience = -1;
      return;
    }
    this.#acknowledged = position;
    if (this.#distance(position) <= 0) return;
    if (this.#patience < 0) {
      this.#patience = 0;
      this.#impatientAt = time + PATIENCE_NS;
    }
    this.#patience++;
    if (this.#patience < PATIENCE_PACKETS && time < this.#impatientAt) return;
    // Only as far as it was acknowledged: what is behind may still come.
    while (this.#waiting.length > 0 && ((this.#acknowledged - this.#waiting[0]!.position) | 0) > 0) {
      this.#jump(take);
    }
    this.#patience = -1;
    this.#checkEnd();
  }

  /** No more will come: hands over what waits. */
  flush(take: TakeBytes): void {
    while (this.#waiting.length > 0) this.#jump(take);
    this.#checkEnd();
  }

  #distance(position: number): number {
    return (position - this.next) | 0;
  }

  #hand(position: number, bytes: Buffer, length: number, time: number, take: TakeBytes): void {
    const end = (position + length) >>> 0;
    if (((end - this.next) | 0) <= 0) return; // seen already
    take(position, bytes, length, time);
    this.next = end;
  }

  #wait(position: number, bytes: Buffer, length: number, time: number, take: TakeBytes): void {
    const waiting = this.#waiting;
    let at = waiting.length;
    while (at > 0 && ((position - waiting[at - 1]!.position) | 0) < 0) at--;
    const before = waiting[at - 1];
    if (before !== undefined && before.position === position && before.length >= length) return;
    waiting.splice(at, 0, { position, bytes: Buffer.from(bytes), length, time });
    this.#waitingBytes += bytes.length;
    if (this.#waitingBytes > MAX_WAITING_BYTES || waiting.length > MAX_WAITING_SEGMENTS) this.#jump(take);
  }

  /** Gives up the hole before the first waiting segment. */
  #jump(take: TakeBytes): void {
    const first = this.#waiting[0]!;
    const missing = this.#distance(first.position);
    if (missing > 0) {
      this.lostBytes += missing;
      this.next = first.position;
    }
    this.#drain(0, take);
  }

  #drain(filledAt: number, take: TakeBytes): void {
    for (;;) {
      const first = this.#waiting[0];
      if (first === undefined || this.#distance(first.position) > 0) return;
      this.#waiting.shift();
      this.#waitingBytes -= first.bytes.length;
      this.#hand(first.position, first.bytes, first.length, Math.max(first.time, filledAt), take);
    }
  }

  #checkEnd(): void {
    if (this.#fin !== undefined && this.#distance(this.#fin) <= 0) this.ended = true;
  }
}
