/** Puts header blocks together that come in several frames (RFC 9113, sections 6.2 and 6.10). */
import { FLAG, FRAME, FRAME_HEADER_BYTES, H2_ERROR, Http2Error } from './protocol.js';

/** A whole block, and the flags of the HEADERS frame that began it. */
export interface HeaderBlock {
  readonly flags: number;
  /** Valid until the frame's payload is not. */
  readonly bytes: Buffer;
}

export class HeaderBlocks {
  readonly #maxBytes: number;
  #open: { streamId: number; flags: number; parts: Buffer[]; bytes: number } | undefined;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** A block has begun and not ended: nothing but its CONTINUATION may come. */
  get isOpen(): boolean {
    return this.#open !== undefined;
  }

  /** Takes a HEADERS or CONTINUATION frame; gives the block when it is complete. Throws `Http2Error`. */
  push(type: number, flags: number, streamId: number, payload: Buffer): HeaderBlock | undefined {
    if (type === FRAME.HEADERS) {
      if (streamId === 0) throw protocolError('HEADERS without a stream');
      const fragment = withoutPadding(flags, payload);
      if ((flags & FLAG.END_HEADERS) !== 0) return { flags, bytes: fragment };
      this.#open = { streamId, flags, parts: [Buffer.from(fragment)], bytes: fragment.length };
      return undefined;
    }
    const block = this.#open;
    if (block?.streamId !== streamId) throw protocolError('CONTINUATION out of place');
    block.parts.push(Buffer.from(payload));
    // Frames without bytes count too: they would go on for ever.
    block.bytes += payload.length + FRAME_HEADER_BYTES;
    if (block.bytes > this.#maxBytes) throw new Http2Error(H2_ERROR.ENHANCE_YOUR_CALM, 'too many headers');
    if ((flags & FLAG.END_HEADERS) === 0) return undefined;
    this.#open = undefined;
    return { flags: block.flags, bytes: Buffer.concat(block.parts) };
  }
}

/** And without the five bytes of a priority. */
function withoutPadding(flags: number, payload: Buffer): Buffer {
  let start = 0;
  let end = payload.length;
  if ((flags & FLAG.PADDED) !== 0) {
    end -= payload[0] ?? 0;
    start = 1;
  }
  if ((flags & FLAG.PRIORITY) !== 0) start += 5;
  if (start > end) throw protocolError('more padding than frame');
  return payload.subarray(start, end);
}

const protocolError = (what: string): Http2Error => new Http2Error(H2_ERROR.PROTOCOL_ERROR, what);
