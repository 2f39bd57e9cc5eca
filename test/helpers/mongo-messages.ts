/** Messages of MongoDB's wire protocol, for tests. Numbers become int32, `bigint` int64. */
export type BsonValue =
  | string
  | number
  | bigint
  | boolean
  | null
  | readonly BsonValue[]
  | { readonly [name: string]: BsonValue };

export const i32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32LE(value);
  return bytes;
};
const i64 = (value: bigint): Buffer => {
  const bytes = Buffer.alloc(8);
  bytes.writeBigInt64LE(value);
  return bytes;
};
const zeroed = (value: string): Buffer => Buffer.from(`${value}\0`);

export function bson(value: { readonly [name: string]: BsonValue }): Buffer {
  const elements = Object.entries(value).map(([name, element]) => {
    const [type, content] = valueBytes(element);
    return Buffer.concat([Buffer.from([type]), zeroed(name), content]);
  });
  const body = Buffer.concat([...elements, Buffer.from([0])]);
  return Buffer.concat([i32(body.length + 4), body]);
}

function valueBytes(value: BsonValue): [type: number, content: Buffer] {
  if (value === null) return [0x0a, Buffer.alloc(0)];
  switch (typeof value) {
    case 'string':
      return [0x02, Buffer.concat([i32(Buffer.byteLength(value) + 1), zeroed(value)])];
    case 'number':
      return [0x10, i32(value)];
    case 'bigint':
      return [0x12, i64(value)];
    case 'boolean':
      return [0x08, Buffer.from([value ? 1 : 0])];
    default:
      return Array.isArray(value)
        ? [0x04, bson(Object.fromEntries(value.map((element, i) => [String(i), element as BsonValue])))]
        : [0x03, bson(value as { readonly [name: string]: BsonValue })];
  }
}

export const message = (id: number, to: number, code: number, body: Buffer): Buffer =>
  Buffer.concat([i32(16 + body.length), i32(id), i32(to), i32(code), body]);

export interface MsgOptions {
  readonly flags?: number;
  readonly to?: number;
  /** Sections of kind 1. */
  readonly sequences?: Readonly<Record<string, readonly { readonly [name: string]: BsonValue }[]>>;
}

/** What follows the header of an OP_MSG. */
export function msgBody(
  document: { readonly [name: string]: BsonValue },
  { flags = 0, sequences = {} }: MsgOptions = {},
): Buffer {
  const sections = Object.entries(sequences).map(([name, documents]) => {
    const body = Buffer.concat([zeroed(name), ...documents.map(bson)]);
    return Buffer.concat([Buffer.from([1]), i32(body.length + 4), body]);
  });
  const checksum = (flags & 1) !== 0 ? [i32(0x1234_5678)] : [];
  return Buffer.concat([i32(flags), Buffer.from([0]), bson(document), ...sections, ...checksum]);
}

export const msg = (
  id: number,
  document: { readonly [name: string]: BsonValue },
  options: MsgOptions = {},
): Buffer => message(id, options.to ?? 0, 2013, msgBody(document, options));

export const answer = (
  id: number,
  to: number,
  document: { readonly [name: string]: BsonValue },
  flags = 0,
): Buffer => msg(id, document, { to, flags });

/** The handshake of old and new drivers. */
export const query = (
  id: number,
  collection: string,
  document: { readonly [name: string]: BsonValue },
): Buffer =>
  message(id, 0, 2004, Buffer.concat([i32(0), zeroed(collection), i32(0), i32(-1), bson(document)]));

export const reply = (
  id: number,
  to: number,
  ...documents: { readonly [name: string]: BsonValue }[]
): Buffer =>
  message(id, to, 1, Buffer.concat([i32(8), i64(0n), i32(0), i32(documents.length), ...documents.map(bson)]));

export const compressed = (id: number, to: number, compressor: number, size: number, body: Buffer): Buffer =>
  message(id, to, 2012, Buffer.concat([i32(2013), i32(size), Buffer.from([compressor]), body]));
