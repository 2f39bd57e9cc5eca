import { isHandshakeRecord, isTlsRecord, serverHelloVersion } from './tls-wire.js';

/** A ServerHello fits; certificates come later. */
const MAX_BYTES = 512;
/** Records of a connection that may pass before a ServerHello. */
const MAX_RECORDS = 16;

/** Finds the ServerHello in the first bytes of a connection, which some libraries read header by header. */
export class HelloReader {
  version: string | undefined;
  /** Nothing more can be learned. */
  over = false;
  #records = 0;
  /** The record that is not complete, in each direction (in, out). */
  readonly #partial: [Buffer | undefined, Buffer | undefined] = [undefined, undefined];

  read(bytes: Buffer, start: number, end: number, egress: boolean): void {
    const direction = egress ? 1 : 0;
    const partial = this.#partial[direction];
    this.#partial[direction] = undefined;
    if (++this.#records > MAX_RECORDS) this.over = true;
    if (end <= start) return;
    const text =
      partial === undefined
        ? bytes.subarray(start, end)
        : Buffer.concat([partial, bytes.subarray(start, end)]);
    this.version = serverHelloVersion(text, 0, text.length);
    if (this.version !== undefined) {
      this.over = true;
      return;
    }
    if (isHandshakeRecord(text, 0, text.length)) {
      const isComplete = text.length >= 5 + ((text[3]! << 8) | text[4]!);
      if (!isComplete && text.length < MAX_BYTES) this.#partial[direction] = Buffer.from(text);
    } else if (isTlsRecord(text, 0, text.length)) this.over = true;
  }
}
