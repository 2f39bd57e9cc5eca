/** Messages of the CQL binary protocol, for tests. */
export const OP = {
  error: 0,
  startup: 1,
  ready: 2,
  options: 5,
  supported: 6,
  query: 7,
  result: 8,
  prepare: 9,
  execute: 10,
  event: 12,
  batch: 13,
} as const;

export const i16 = (value: number): Buffer => Buffer.from([(value >> 8) & 0xff, value & 0xff]);
export const i32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
};
export const text = (value: string): Buffer => Buffer.concat([i16(value.length), Buffer.from(value)]);
export const longText = (value: string): Buffer => Buffer.concat([i32(value.length), Buffer.from(value)]);
export const id = (hex: string): Buffer => Buffer.concat([i16(hex.length / 2), Buffer.from(hex, 'hex')]);

export const envelope = (
  version: number,
  stream: number,
  opcode: number,
  body: Buffer = Buffer.alloc(0),
  flags = 0,
): Buffer =>
  Buffer.concat([Buffer.from([version, flags]), i16(stream), Buffer.from([opcode]), i32(body.length), body]);

export const request = (stream: number, opcode: number, body?: Buffer, flags?: number, version = 4): Buffer =>
  envelope(version, stream, opcode, body, flags);
export const response = (
  stream: number,
  opcode: number,
  body?: Buffer,
  flags?: number,
  version = 4,
): Buffer => envelope(version | 0x80, stream, opcode, body, flags);

export const startup = (options: Readonly<Record<string, string>> = {}): Buffer => {
  const entries = Object.entries({ CQL_VERSION: '3.0.0', ...options });
  return Buffer.concat([i16(entries.length), ...entries.flatMap(([key, value]) => [text(key), text(value)])]);
};

/** Consistency and flags, with what they announce; version 5 has more room for flags. */
export const parameters = (consistency: number, values: readonly string[] = [], version = 4): Buffer =>
  Buffer.concat([
    i16(consistency),
    version >= 5 ? i32(values.length > 0 ? 0x05 : 0x04) : Buffer.from([values.length > 0 ? 0x05 : 0x04]),
    ...(values.length > 0 ? [i16(values.length), ...values.map(longText)] : []),
    i32(5000),
  ]);

export const query = (statement: string, consistency = 6, version = 4): Buffer =>
  Buffer.concat([longText(statement), parameters(consistency, [], version)]);

/** A result of `count` rows with columns of some types. */
export const rows = (count: number): Buffer =>
  Buffer.concat([
    i32(2),
    i32(1),
    i32(3),
    text('shop'),
    text('orders'),
    Buffer.concat([text('id'), i16(9)]),
    Buffer.concat([text('tags'), i16(0x21), i16(13), i16(0x22), i16(13)]),
    Buffer.concat([text('pair'), i16(0x31), i16(2), i16(9), i16(13)]),
    i32(count),
  ]);
export const VOID = i32(1);
export const prepared = (hex: string): Buffer => Buffer.concat([i32(4), id(hex), i32(0), i32(0), i32(0)]);
export const keyspace = (name: string): Buffer => Buffer.concat([i32(3), text(name)]);
export const error = (code: number, message: string): Buffer => Buffer.concat([i32(code), text(message)]);

/** LZ4 that compresses nothing: one run of literals. */
export function lz4(content: Buffer): Buffer {
  const head = content.length < 15 ? [content.length << 4] : [0xf0];
  for (let rest = content.length - 15; rest >= 0; rest -= 255) head.push(Math.min(rest, 255));
  return Buffer.concat([Buffer.from(head), content]);
}

function crc24(bytes: Buffer): Buffer {
  let crc = 0x87_5060;
  for (const byte of bytes) {
    crc ^= byte << 16;
    for (let bit = 0; bit < 8; bit++) {
      crc <<= 1;
      if ((crc & 0x100_0000) !== 0) crc ^= 0x1_97_4f0b;
    }
  }
  return Buffer.from([crc & 0xff, (crc >> 8) & 0xff, (crc >> 16) & 0xff]);
}

/** A frame of version 5. */
export function segment(payload: Buffer, selfContained = true): Buffer {
  const fields = Buffer.alloc(3);
  fields.writeUIntLE(payload.length + (selfContained ? 0x2_0000 : 0), 0, 3);
  return Buffer.concat([fields, crc24(fields), payload, i32(0)]);
}

/** The same with LZ4. */
export function lz4Segment(payload: Buffer): Buffer {
  const content = lz4(payload);
  const fields = Buffer.alloc(5);
  fields.writeUIntLE(content.length + payload.length * 2 ** 17 + 2 ** 34, 0, 5);
  return Buffer.concat([fields, crc24(fields), content, i32(0)]);
}
