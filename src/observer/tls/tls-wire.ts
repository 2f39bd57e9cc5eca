/**
 * What TLS shows on the wire: RFC 8446 section 5.1 (records), section 4.1.3 (ServerHello), section 4.2.1
 * (supported_versions). Only what fits the first bytes of a message is looked at.
 */

const CHANGE_CIPHER_SPEC = 20;
const HANDSHAKE = 22;
const APPLICATION_DATA = 23;
const SERVER_HELLO = 2;
const SUPPORTED_VERSIONS = 43;
/** RFC 8446 section 5.2: 2^14 bytes and 256 for the cipher; TLS 1.2 allows 2048. */
const MAX_RECORD_BYTES = (1 << 14) + 2048;

/** True when `bytes[start, end)` begins with the header of a TLS record. */
export function isTlsRecord(bytes: Uint8Array, start: number, end: number): boolean {
  if (end - start < 5) return false;
  const type = bytes[start]!;
  if (type < CHANGE_CIPHER_SPEC || type > APPLICATION_DATA || bytes[start + 1] !== 3) return false;
  const length = (bytes[start + 3]! << 8) | bytes[start + 4]!;
  return bytes[start + 2]! <= 4 && length > 0 && length <= MAX_RECORD_BYTES;
}

/** True for the header of a record of the handshake, which is in clear until the ServerHello. */
export function isHandshakeRecord(bytes: Uint8Array, start: number, end: number): boolean {
  return isTlsRecord(bytes, start, end) && bytes[start] === HANDSHAKE;
}

/** The version that a ServerHello settles on ("1.2", "1.3"), undefined when these bytes are none or do not say. */
export function serverHelloVersion(bytes: Uint8Array, start: number, end: number): string | undefined {
  if (!isTlsRecord(bytes, start, end) || bytes[start] !== HANDSHAKE || bytes[start + 5] !== SERVER_HELLO) {
    return undefined;
  }
  const word = (at: number) => (at + 2 <= end ? (bytes[at]! << 8) | bytes[at + 1]! : -1);
  let version = word(start + 9);
  const sessionIdAt = start + 9 + 2 + 32;
  if (sessionIdAt >= end) return undefined;
  const extensionsAt = sessionIdAt + 1 + bytes[sessionIdAt]! + 3;
  const extensionsEnd = extensionsAt + 2 + Math.max(0, word(extensionsAt));
  for (let at = extensionsAt + 2; at + 4 <= Math.min(extensionsEnd, end); at += 4 + word(at + 2)) {
    if (word(at) === SUPPORTED_VERSIONS && word(at + 4) >= 0) version = word(at + 4);
  }
  // 0x0301 is TLS 1.0.
  return version >= 0x0301 && version <= 0x0304 ? `1.${(version & 0xff) - 1}` : undefined;
}
