import type { DecodedHeaders } from './hpack-decoder.js';

/** Whoever holds a stream hears of it through these, in the order of arrival. None may throw. */
export interface StreamListener {
  /** Response headers or trailers (clients only: a server's come with the stream). */
  onHeaders?(decoded: DecodedHeaders): void;
  /** Bytes `chunk[start, end)`; only valid during the call. */
  onData(chunk: Buffer, start: number, end: number): void;
  /** The peer has sent everything. */
  onEnd(): void;
  /** The last call. `code` is that of RST_STREAM; undefined when both sides said all they had to say. */
  onClose(code: number | undefined): void;
}

/** What waits for flow control. */
export interface Outgoing {
  readonly pieces: readonly Uint8Array[];
  /** Where to go on: index of a piece, and position in it. */
  piece: number;
  offset: number;
  bytesLeft: number;
  /** Header block to end the stream with; without one the last DATA frame ends it. */
  readonly trailers: Buffer | undefined;
}

/** One request and its response. Made and changed by `Http2Connection` only. */
export class Http2Stream {
  readonly id: number;
  listener: StreamListener;
  /** What the peer lets us send. Below 0 after the peer has taken back some of its initial window. */
  sendWindow: number;
  /** What we let the peer send. */
  receiveWindow: number;
  localEnded = false;
  remoteEnded = false;
  closed = false;
  outgoing: Outgoing | undefined;

  constructor(id: number, listener: StreamListener, sendWindow: number, receiveWindow: number) {
    this.id = id;
    this.listener = listener;
    this.sendWindow = sendWindow;
    this.receiveWindow = receiveWindow;
  }
}
