/** Records of TLS, for tests. */
const u16 = (value: number): Buffer => Buffer.from([value >> 8, value & 0xff]);
const u24 = (value: number): Buffer => Buffer.from([value >> 16, (value >> 8) & 0xff, value & 0xff]);
const within8 = (content: Buffer): Buffer => Buffer.concat([Buffer.from([content.length]), content]);
const within16 = (content: Buffer): Buffer => Buffer.concat([u16(content.length), content]);

export const record = (type: number, content: Buffer, version = 0x0303): Buffer =>
  Buffer.concat([Buffer.from([type]), u16(version), within16(content)]);
const handshake = (type: number, content: Buffer): Buffer =>
  record(22, Buffer.concat([Buffer.from([type]), u24(content.length), content]));
const extension = (type: number, content: Buffer): Buffer => Buffer.concat([u16(type), within16(content)]);

export const CHANGE_CIPHER_SPEC = record(20, Buffer.from([1]));
export const alert = (level: number, description: number): Buffer =>
  record(21, Buffer.from([level, description]));
/** Application data, or what TLS 1.3 makes look like it. */
export const encrypted = (length: number): Buffer => record(23, Buffer.alloc(length, 0x5a));
/** A handshake message of TLS 1.2 after ChangeCipherSpec. */
export const finished = (): Buffer => record(22, Buffer.alloc(40, 0x5a));
/** Certificate, key exchange, ServerHelloDone: whatever is in clear after the ServerHello. */
export const flight = (): Buffer => handshake(11, Buffer.alloc(300));

export interface ClientOptions {
  readonly name?: string;
  readonly protocols?: readonly string[];
  readonly session?: string;
  /** With what only keeps servers on their toes, and an encrypted inner hello. */
  readonly grease?: boolean;
}

export function clientHello({ name, protocols, session = '', grease = false }: ClientOptions = {}): Buffer {
  const extensions: Buffer[] = [];
  if (grease) extensions.push(extension(0x3a3a, Buffer.from([0])));
  if (name !== undefined) {
    extensions.push(extension(0, within16(Buffer.concat([Buffer.from([0]), within16(Buffer.from(name))]))));
  }
  if (protocols !== undefined || grease) {
    const all = [
      ...(grease ? [Buffer.from([0x8a, 0x8a])] : []),
      ...(protocols ?? []).map((p) => Buffer.from(p)),
    ];
    extensions.push(extension(16, within16(Buffer.concat(all.map(within8)))));
  }
  if (grease) extensions.push(extension(0xfe0d, Buffer.alloc(200, 0xab)), extension(0xfafa, Buffer.alloc(0)));
  return handshake(
    1,
    Buffer.concat([
      u16(0x0303),
      Buffer.alloc(32, 7),
      within8(Buffer.from(session, 'hex')),
      within16(Buffer.concat([u16(0x1301), u16(0xc02f)])),
      within8(Buffer.from([0])),
      within16(Buffer.concat(extensions)),
    ]),
  );
}

export interface ServerOptions {
  readonly version?: number;
  readonly protocol?: string;
  readonly session?: string;
  readonly resumed?: boolean;
  readonly retry?: boolean;
}

export function serverHello({
  version = 0x0304,
  protocol,
  session = '',
  resumed = false,
  retry = false,
}: ServerOptions = {}): Buffer {
  const random = retry
    ? Buffer.from('cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c', 'hex')
    : Buffer.alloc(32, 9);
  const extensions: Buffer[] = [];
  if (version === 0x0304) extensions.push(extension(43, u16(version)), extension(51, u16(29)));
  if (resumed) extensions.push(extension(41, u16(0)));
  if (protocol !== undefined) extensions.push(extension(16, within16(within8(Buffer.from(protocol)))));
  return handshake(
    2,
    Buffer.concat([
      u16(Math.min(version, 0x0303)),
      random,
      within8(Buffer.from(session, 'hex')),
      u16(version === 0x0304 ? 0x1301 : 0xc02f),
      Buffer.from([0]),
      within16(Buffer.concat(extensions)),
    ]),
  );
}
