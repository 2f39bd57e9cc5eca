/** Records of TLS (RFC 8446 section 5.1): type 1 ┬ version 2 ┬ length 2 ┬ content. */
export const RECORD = { changeCipherSpec: 20, alert: 21, handshake: 22, applicationData: 23 } as const;
export const HANDSHAKE = { clientHello: 1, serverHello: 2 } as const;

export const HEADER_BYTES = 5;
/** 2^14 bytes and what ciphers of TLS 1.2 may add. */
const LONGEST = (1 << 14) + 2048;

/** Length of the record at `start`, its header included; 0 when `end` comes before that is known, -1 for none. */
export function recordLength(bytes: Buffer, start: number, end: number): number {
  const type = bytes[start]!;
  if (type < RECORD.changeCipherSpec || type > RECORD.applicationData) return -1;
  if (end - start > 1 && bytes[start + 1] !== 3) return -1;
  if (end - start < HEADER_BYTES) return 0;
  const length = bytes.readUInt16BE(start + 3);
  if (bytes[start + 2]! > 4 || length === 0 || length > LONGEST) return -1;
  return length + HEADER_BYTES;
}
