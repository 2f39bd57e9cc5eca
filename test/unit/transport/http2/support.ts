/** A peer that speaks HTTP/2 frame by frame, to say what no library would say. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { FRAME, frameOf, PREFACE } from '../../../../src/transport/http2/protocol.js';

export interface RawFrame {
  readonly type: number;
  readonly flags: number;
  readonly streamId: number;
  readonly payload: Buffer;
}

/** Cuts frames by hand, so that the parser under test is not its own witness. */
export class RawPeer {
  readonly socket: Socket;
  readonly frames: RawFrame[] = [];
  closed = false;
  /** Sends each byte by itself. */
  trickles = false;
  #bytes = Buffer.alloc(0);
  #waiting: (() => void)[] = [];

  constructor(socket: Socket, skip = 0) {
    this.socket = socket;
    let left = skip;
    socket.on('data', (chunk: Buffer) => {
      const skipped = Math.min(left, chunk.length);
      left -= skipped;
      this.#bytes = Buffer.concat([this.#bytes, chunk.subarray(skipped)]);
      this.#cut();
      for (const wake of this.#waiting.splice(0)) wake();
    });
    socket.on('error', () => {});
    socket.on('close', () => {
      this.closed = true;
      for (const wake of this.#waiting.splice(0)) wake();
    });
  }

  static async client(port: number): Promise<RawPeer> {
    const socket = connect({ host: '127.0.0.1', port });
    await once(socket, 'connect');
    return new RawPeer(socket);
  }

  /** Preface and empty settings. */
  open(settings: Uint8Array = Buffer.alloc(0)): this {
    return this.raw(PREFACE).send(FRAME.SETTINGS, 0, 0, settings);
  }

  send(type: number, flags: number, streamId: number, payload: Uint8Array = Buffer.alloc(0)): this {
    return this.raw(frameOf(type, flags, streamId, payload));
  }

  raw(bytes: Uint8Array): this {
    if (!this.trickles) this.socket.write(bytes);
    else for (const byte of bytes) this.socket.write(Buffer.of(byte));
    return this;
  }

  /** The first frame that fits, now or later; undefined when the connection closed without one. */
  async frame(wanted: (frame: RawFrame) => boolean): Promise<RawFrame | undefined> {
    for (;;) {
      const found = this.frames.find(wanted);
      if (found !== undefined || this.closed) return found;
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }

  /** Code and text with which the other side ended the connection. */
  async goaway(): Promise<{ code: number; text: string } | undefined> {
    const frame = await this.frame(({ type }) => type === FRAME.GOAWAY);
    return frame && { code: frame.payload.readUInt32BE(4), text: frame.payload.subarray(8).toString() };
  }

  #cut(): void {
    while (this.#bytes.length >= 9) {
      const length = this.#bytes.readUIntBE(0, 3);
      if (this.#bytes.length < 9 + length) return;
      this.frames.push({
        type: this.#bytes[3]!,
        flags: this.#bytes[4]!,
        streamId: this.#bytes.readUInt32BE(5),
        payload: this.#bytes.subarray(9, 9 + length),
      });
      this.#bytes = this.#bytes.subarray(9 + length);
    }
  }
}

export const u32 = (...values: number[]): Buffer => {
  const bytes = Buffer.alloc(4 * values.length);
  for (const [index, value] of values.entries()) bytes.writeUInt32BE(value, 4 * index);
  return bytes;
};

/** One entry of a SETTINGS frame. */
export const setting = (id: number, value: number): Buffer => Buffer.concat([Buffer.of(0, id), u32(value)]);
