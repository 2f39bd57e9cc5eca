/**
 * Cuts one direction of a stream into frames whose length stands in their header (most binary protocols).
 *
 *     ┌ header ┬ body ─────────────────┐┌ header ┬ …
 *     │ length │ visible │ not visible ││        │        a body goes on by counting; a header does not
 *     └────────┴─────────┴─────────────┘└────────┴ …
 *
 * A frame that lies in one slice is handed over where it is; one that is spread over slices is collected, up to
 * `keepBytes`. Once a header was not visible the reader is lost and tries the beginning of each slice until a frame
 * begins there. Never throws; keeps no reference to the bytes.
 */
import type { MessageExtent, Moment } from './protocol.js';

/** The header goes on behind `end`. */
export const MORE = 0;
/** No frame begins here. */
export const BAD = -1;

/** Usually the parser itself: lengths may depend on what it knows. */
export interface FrameFormat {
  /** Most bytes of a frame that are collected when it is spread over slices (of one in a slice all are visible). */
  readonly keepBytes: number;
  /** Length of the frame that begins at `start`, header included (1 or more), or MORE or BAD. Sees at least one byte. */
  frameLength(fromClient: boolean, bytes: Buffer, start: number, end: number): number;
  /** While lost: does a frame begin here? `frameLength` is asked when this is absent; be stricter if it accepts much. */
  startsFrame?(fromClient: boolean, bytes: Buffer, start: number, end: number): boolean;
  /** A frame has ended. It is valid during the call. */
  frame(fromClient: boolean, frame: Frame): void;
  /** The bytes are no frame; the reader is lost now. */
  badFrame(fromClient: boolean): void;
  /** The beginning of one or more frames was not visible; the reader is lost now. */
  missedFrames(fromClient: boolean, lost: boolean): void;
}

/** A frame as far as it was visible: `bytes[start, end)`, of `length` bytes on the wire. */
export interface Frame extends MessageExtent {
  readonly bytes: Buffer;
  readonly start: number;
  readonly end: number;
}

class FrameView implements Frame {
  bytes: Buffer = NOTHING;
  start = 0;
  end = 0;
  length = 0;
  gap = false;
  readonly first: Moment = createMoment();
  readonly last: Moment = createMoment();
}

const NOTHING = Buffer.alloc(0);
/** A collecting buffer up to this size is kept for the next frame. */
const SMALL = 2048;

export const createMoment = (): Moment => ({ time: 0, tgid: 0, tid: 0, offset: 0 });

export function copyMoment(from: Moment, to: Moment, offset: number): void {
  to.time = from.time;
  to.tgid = from.tgid;
  to.tid = from.tid;
  to.offset = offset;
}

export class FrameReader {
  readonly #format: FrameFormat;
  readonly #fromClient: boolean;
  readonly #frame = new FrameView();
  /** What was collected of the current frame. */
  #kept: Buffer = NOTHING;
  #keptLength = 0;
  /** Bytes of the current frame that went by; 0 between frames. */
  #passed = 0;
  /** Of the current frame; 0 while its header is incomplete. */
  #length = 0;
  /** A byte of the current frame was not visible: nothing after it is kept. */
  #hole = false;
  #lost: boolean;

  /** `midstream`: the first byte may be anywhere in a frame. */
  constructor(format: FrameFormat, fromClient: boolean, midstream: boolean) {
    this.#format = format;
    this.#fromClient = fromClient;
    this.#lost = midstream;
  }

  /** Its place in the stream is not known. */
  get lost(): boolean {
    return this.#lost;
  }

  /** Between two frames. */
  get idle(): boolean {
    return this.#passed === 0 && !this.#lost;
  }

  /** Bytes that it keeps. */
  get heldBytes(): number {
    return this.#kept.length;
  }

  /** Passes over everything until a frame begins at the beginning of a slice. */
  lose(): void {
    this.#reset();
    this.#lost = true;
  }

  read(bytes: Buffer, start: number, end: number, at: Moment): void {
    const format = this.#format;
    let from = start;
    if (this.#lost) {
      if (!this.#begins(bytes, start, end)) return;
      this.#lost = false;
    }
    while (from < end) {
      if (this.#passed > 0) {
        from = this.#resume(bytes, from, end, start, at);
        if (this.#lost) return;
        continue;
      }
      const length = format.frameLength(this.#fromClient, bytes, from, end);
      if (length < 0) {
        this.#bad();
        return;
      }
      const frame = this.#frame;
      copyMoment(at, frame.first, at.offset + from - start);
      if (length !== MORE && length <= end - from) {
        copyMoment(at, frame.last, at.offset + from - start + length - 1);
        this.#emit(bytes, from, from + length, length);
        from += length;
        if (this.#lost) return;
        continue;
      }
      this.#length = length;
      this.#collect(bytes, from, end);
      this.#passed = end - from;
      copyMoment(at, frame.last, at.offset + end - start - 1);
      return;
    }
  }

  skip(count: number, lost: boolean, at: Moment): void {
    if (count <= 0 || this.#lost) return;
    const frame = this.#frame;
    if (this.#passed === 0 || this.#length === MORE) {
      this.#miss(lost);
      return;
    }
    this.#hole = true;
    frame.gap ||= lost;
    const rest = this.#length - this.#passed;
    const step = Math.min(rest, count);
    this.#passed += step;
    copyMoment(at, frame.last, at.offset + step - 1);
    if (step < rest) return;
    this.#emit(this.#kept, 0, this.#keptLength, this.#length);
    if (count > step && !this.#lost) this.#miss(lost);
  }

  #begins(bytes: Buffer, start: number, end: number): boolean {
    const format = this.#format;
    if (format.startsFrame !== undefined) return format.startsFrame(this.#fromClient, bytes, start, end);
    return format.frameLength(this.#fromClient, bytes, start, end) > 0;
  }

  /** Goes on with a frame that is spread over slices; returns the position after what it took. */
  #resume(bytes: Buffer, from: number, end: number, start: number, at: Moment): number {
    const frame = this.#frame;
    let taken = 0;
    if (this.#length === MORE) {
      // The header is short: add all there is, and give back what is behind the frame.
      const before = this.#keptLength;
      this.#collect(bytes, from, Math.min(end, from + HEADER_STEP));
      const added = this.#keptLength - before;
      const length = this.#format.frameLength(this.#fromClient, this.#kept, 0, this.#keptLength);
      if (length < 0 || (length === MORE && added === 0)) {
        this.#bad();
        return end;
      }
      if (length !== MORE && length < before) {
        // The format has changed its mind about bytes it saw: it does not know its own header.
        this.#bad();
        return end;
      }
      this.#length = length;
      taken = length === MORE ? added : Math.min(added, length - before);
      this.#keptLength = before + taken;
    } else {
      taken = Math.min(this.#length - this.#passed, end - from);
      if (!this.#hole) this.#collect(bytes, from, from + taken);
    }
    this.#passed += taken;
    copyMoment(at, frame.last, at.offset + from - start + taken - 1);
    if (this.#length !== MORE && this.#passed === this.#length) {
      this.#emit(this.#kept, 0, this.#keptLength, this.#length);
    }
    return from + taken;
  }

  #collect(bytes: Buffer, start: number, end: number): void {
    const { keepBytes } = this.#format;
    const stop = Math.min(end, start + keepBytes - this.#keptLength);
    if (stop <= start) return;
    const needed = this.#keptLength + stop - start;
    if (needed > this.#kept.length) {
      const larger = Buffer.allocUnsafe(Math.min(keepBytes, Math.max(256, 2 * needed)));
      this.#kept.copy(larger, 0, 0, this.#keptLength);
      this.#kept = larger;
    }
    bytes.copy(this.#kept, this.#keptLength, start, stop);
    this.#keptLength = needed;
  }

  #emit(bytes: Buffer, start: number, end: number, length: number): void {
    const frame = this.#frame;
    frame.bytes = bytes;
    frame.start = start;
    frame.end = end;
    frame.length = length;
    this.#passed = 0;
    this.#length = 0;
    this.#keptLength = 0;
    this.#hole = false;
    this.#format.frame(this.#fromClient, frame);
    frame.bytes = NOTHING;
    frame.gap = false;
    if (this.#kept.length > SMALL) this.#kept = NOTHING;
  }

  #bad(): void {
    this.lose();
    this.#format.badFrame(this.#fromClient);
  }

  #miss(lost: boolean): void {
    this.lose();
    this.#format.missedFrames(this.#fromClient, lost);
  }

  #reset(): void {
    this.#passed = 0;
    this.#length = 0;
    this.#keptLength = 0;
    this.#hole = false;
    this.#frame.gap = false;
    this.#kept = NOTHING;
  }
}

/** Bytes that are added at once to an incomplete header. */
const HEADER_STEP = 64;
