/**
 * How far one direction of a TCP connection has been seen. Positions are TCP sequence numbers: they wrap at 2^32, are
 * the same at both ends, and tell repeated bytes (MSG_PEEK, the rest of a partial send) from lost ones.
 */
export class StreamCursor {
  /** False until the first byte. */
  known = false;
  /** Sequence number of the next byte that was not seen yet. */
  next = 0;
  /** The same without wrapping: the first position seen, plus every byte since. */
  offset = 0;

  /** Bytes missing between what was seen and `position` (> 0), or bytes that were seen already (< 0). */
  distance(position: number): number {
    return this.known ? (position - this.next) | 0 : 0;
  }

  /** Starts at `position` if nothing was seen yet. */
  begin(position: number): void {
    if (this.known) return;
    this.known = true;
    this.next = position;
    this.offset = position;
  }

  advance(bytes: number): void {
    this.next = (this.next + bytes) >>> 0;
    this.offset += bytes;
  }
}
