/**
 * ClientHello and ServerHello (RFC 8446 sections 4.1.2 and 4.1.3, RFC 6066 section 3, RFC 7301 section 3.1). Values that
 * only keep others on their toes (GREASE, RFC 8701) and an encrypted inner hello (ECH) are passed over as anything unknown is.
 */

const EXTENSION = { serverName: 0, alpn: 16, preSharedKey: 41, supportedVersions: 43, keyShare: 51 } as const;
const MAX_EXTENSIONS = 64;
const MAX_PROTOCOLS = 8;
/** SHA-256 of "HelloRetryRequest": a ServerHello with it asks for another ClientHello. */
const RETRY = 'cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c';

export interface ClientHello {
  serverName: string;
  /** Application protocols that the client offers. */
  protocols: string[];
  /** To be compared with the server's: the same one means that a session of TLS 1.2 is resumed. */
  sessionId: string;
}

export interface ServerHello {
  /** As on the wire: 0x0303 is TLS 1.2. */
  version: number;
  cipher: number;
  /** The application protocol that was chosen, where that is not encrypted. */
  protocol: string;
  sessionId: string;
  /** The session of an earlier connection goes on (TLS 1.3). */
  resumed: boolean;
  /** Of the key exchange; 0 when it is not in the hello. */
  group: number;
  /** It is a HelloRetryRequest. */
  retry: boolean;
}

/** The hello that begins at `start` (its type), as far as it is visible; undefined when its fixed part is not. */
export function readClientHello(bytes: Buffer, start: number, end: number): ClientHello | undefined {
  const session = start + 4 + 2 + 32;
  if (session >= end) return undefined;
  const hello: ClientHello = { serverName: '', protocols: [], sessionId: '' };
  let at = session + 1 + bytes[session]!;
  if (at + 2 > end) return hello;
  hello.sessionId = bytes.toString('hex', session + 1, at);
  at += 2 + bytes.readUInt16BE(at);
  if (at >= end) return hello;
  at += 1 + bytes[at]!;
  eachExtension(bytes, at, end, (type, value, stop) => {
    if (type === EXTENSION.serverName) hello.serverName = readServerName(bytes, value, stop);
    else if (type === EXTENSION.alpn) hello.protocols = readProtocols(bytes, value, stop);
  });
  return hello;
}

export function readServerHello(bytes: Buffer, start: number, end: number): ServerHello | undefined {
  const session = start + 4 + 2 + 32;
  if (session >= end) return undefined;
  const at = session + 1 + bytes[session]!;
  if (at + 3 > end) return undefined;
  const hello: ServerHello = {
    version: bytes.readUInt16BE(start + 4),
    cipher: bytes.readUInt16BE(at),
    protocol: '',
    sessionId: bytes.toString('hex', session + 1, at),
    resumed: false,
    group: 0,
    retry: bytes.toString('hex', start + 6, session) === RETRY,
  };
  eachExtension(bytes, at + 3, end, (type, value, stop) => {
    if (type === EXTENSION.supportedVersions && stop - value >= 2) hello.version = bytes.readUInt16BE(value);
    else if (type === EXTENSION.keyShare && stop - value >= 2) hello.group = bytes.readUInt16BE(value);
    else if (type === EXTENSION.preSharedKey) hello.resumed = true;
    else if (type === EXTENSION.alpn) hello.protocol = readProtocols(bytes, value, stop)[0] ?? '';
  });
  return hello;
}

function eachExtension(
  bytes: Buffer,
  start: number,
  end: number,
  visit: (type: number, value: number, stop: number) => void,
): void {
  if (start + 2 > end) return;
  const limit = Math.min(end, start + 2 + bytes.readUInt16BE(start));
  let at = start + 2;
  for (let i = 0; i < MAX_EXTENSIONS && at + 4 <= limit; i++) {
    const stop = at + 4 + bytes.readUInt16BE(at + 2);
    if (stop > limit) return;
    visit(bytes.readUInt16BE(at), at + 4, stop);
    at = stop;
  }
}

/** list 2 ┬ type 1 = host name ┬ length 2 ┬ name */
function readServerName(bytes: Buffer, start: number, end: number): string {
  if (end - start < 5 || bytes[start + 2] !== 0) return '';
  const stop = start + 5 + bytes.readUInt16BE(start + 3);
  return stop > end ? '' : printable(bytes, start + 5, stop);
}

/** list 2 ┬ length 1 ┬ name ┬ … */
function readProtocols(bytes: Buffer, start: number, end: number): string[] {
  const names: string[] = [];
  let at = start + 2;
  while (at < end && names.length < MAX_PROTOCOLS) {
    const stop = at + 1 + bytes[at]!;
    if (stop > end) break;
    const name = printable(bytes, at + 1, stop);
    if (name !== '') names.push(name);
    at = stop;
  }
  return names;
}

/** '' for what has other characters: names are ASCII, GREASE is not. */
function printable(bytes: Buffer, start: number, end: number): string {
  for (let at = start; at < end; at++) if (bytes[at]! <= 0x20 || bytes[at]! > 0x7e) return '';
  return bytes.toString('latin1', start, end);
}
