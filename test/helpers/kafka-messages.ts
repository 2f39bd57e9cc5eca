/** Messages of Kafka's protocol, for tests. */
export const i8 = (value: number): Buffer => Buffer.from([value & 0xff]);
export const i16 = (value: number): Buffer => Buffer.from([(value >> 8) & 0xff, value & 0xff]);
export const i32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
};
export const i64 = (value: number): Buffer =>
  Buffer.concat([i32(Math.floor(value / 2 ** 32)), i32(value | 0)]);
/** An unsigned varint, of lengths in flexible versions. */
export function uvarint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 0x7f; rest >>>= 7) bytes.push((rest & 0x7f) | 0x80);
  return Buffer.from([...bytes, rest]);
}
/** A zigzag varint, as in records. */
export const varint = (value: number): Buffer => uvarint(value < 0 ? -2 * value - 1 : 2 * value);
export const text = (value: string): Buffer => Buffer.concat([i16(value.length), Buffer.from(value)]);
export const compact = (value: string): Buffer =>
  Buffer.concat([uvarint(value.length + 1), Buffer.from(value)]);
export const list = (...items: readonly Buffer[][]): Buffer =>
  Buffer.concat([i32(items.length), ...items.flat()]);
/** The compact form; each item has to end with its `TAGS`. */
export const compactList = (...items: readonly Buffer[][]): Buffer =>
  Buffer.concat([uvarint(items.length + 1), ...items.flat()]);
export const TAGS = Buffer.from([0]);
export const NO_TEXT = i16(-1);
export const uuid = (hex: string): Buffer => Buffer.from(hex.padStart(32, '0'), 'hex');

const framed = (...parts: Buffer[]): Buffer => {
  const body = Buffer.concat(parts);
  return Buffer.concat([i32(body.length), body]);
};

export interface RequestOptions {
  readonly client?: string;
  /** The version is flexible. */
  readonly flexible?: boolean;
}

export const request = (
  key: number,
  version: number,
  correlation: number,
  body: readonly Buffer[],
  { client = 'shop', flexible = false }: RequestOptions = {},
): Buffer =>
  framed(i16(key), i16(version), i32(correlation), text(client), ...(flexible ? [TAGS] : []), ...body);

export const response = (correlation: number, body: readonly Buffer[], flexible = false): Buffer =>
  framed(i32(correlation), ...(flexible ? [TAGS] : []), ...body);

export interface RecordOptions {
  readonly value?: string | null;
  readonly headers?: Readonly<Record<string, string>>;
}

function record({ value = 'v', headers = {} }: RecordOptions): Buffer {
  const pairs = Object.entries(headers).map(([name, content]) =>
    Buffer.concat([varint(name.length), Buffer.from(name), varint(content.length), Buffer.from(content)]),
  );
  const body = Buffer.concat([
    i8(0),
    varint(0),
    varint(0),
    varint(-1),
    value === null ? varint(-1) : Buffer.concat([varint(value.length), Buffer.from(value)]),
    varint(pairs.length),
    ...pairs,
  ]);
  return Buffer.concat([varint(body.length), body]);
}

/** A batch of version 2. */
export function batch(records: readonly RecordOptions[], attributes = 0): Buffer {
  const content = Buffer.concat(records.map(record));
  return Buffer.concat([
    i64(0),
    i32(49 + content.length),
    i32(0),
    i8(2),
    i32(0x1234),
    i16(attributes),
    i32(records.length - 1),
    i64(1),
    i64(1),
    i64(-1),
    i16(-1),
    i32(-1),
    i32(records.length),
    content,
  ]);
}

/** Produce v3. */
export const produce = (
  correlation: number,
  topics: Readonly<Record<string, readonly [partition: number, records: Buffer][]>>,
  acks = -1,
): Buffer =>
  request(0, 3, correlation, [
    NO_TEXT,
    i16(acks),
    i32(30_000),
    list(
      ...Object.entries(topics).map(([topic, partitions]) => [
        text(topic),
        list(...partitions.map(([partition, records]) => [i32(partition), i32(records.length), records])),
      ]),
    ),
  ]);

/** Answer to Produce v3. */
export const produced = (
  correlation: number,
  topic: string,
  partition: number,
  error = 0,
  offset = 7,
): Buffer =>
  response(correlation, [
    list([text(topic), list([i32(partition), i16(error), i64(offset), i64(-1)])]),
    i32(0),
  ]);

/** Fetch v13, with topics by id. */
export const fetch = (
  correlation: number,
  session: number,
  epoch: number,
  topics: readonly string[],
  forgotten: readonly string[] = [],
): Buffer =>
  request(
    1,
    13,
    correlation,
    [
      i32(-1),
      i32(500),
      i32(1),
      i32(1 << 20),
      i8(0),
      i32(session),
      i32(epoch),
      compactList(
        ...topics.map((id) => [
          uuid(id),
          compactList([i32(0), i32(0), i64(0), i32(-1), i64(-1), i32(1 << 20), TAGS]),
          TAGS,
        ]),
      ),
      compactList(...forgotten.map((id) => [uuid(id), compactList([i32(0)]), TAGS])),
      compact(''),
      TAGS,
    ],
    { flexible: true },
  );

export const fetched = (
  correlation: number,
  session: number,
  topics: Readonly<Record<string, Buffer>>,
  error = 0,
): Buffer =>
  response(
    correlation,
    [
      i32(0),
      i16(error),
      i32(session),
      compactList(
        ...Object.entries(topics).map(([id, records]) => [
          uuid(id),
          compactList([
            i32(0),
            i16(0),
            i64(9),
            i64(9),
            i64(0),
            uvarint(0),
            i32(-1),
            uvarint(records.length + 1),
            records,
            TAGS,
          ]),
          TAGS,
        ]),
      ),
      TAGS,
    ],
    true,
  );

/** Metadata v12 of all topics. */
export const metadata = (correlation: number): Buffer =>
  request(3, 12, correlation, [uvarint(0), i8(0), i8(0), TAGS], { flexible: true });

export const topics = (correlation: number, names: Readonly<Record<string, string>>): Buffer =>
  response(
    correlation,
    [
      i32(0),
      compactList([i32(1), compact('127.0.0.1'), i32(9092), uvarint(0), TAGS]),
      compact('cluster'),
      i32(1),
      compactList(
        ...Object.entries(names).map(([name, id]) => [
          i16(0),
          compact(name),
          uuid(id),
          i8(0),
          compactList([
            i16(0),
            i32(0),
            i32(1),
            i32(0),
            compactList([i32(1)]),
            compactList([i32(1)]),
            uvarint(1),
            TAGS,
          ]),
          i32(-1),
          TAGS,
        ]),
      ),
      TAGS,
    ],
    true,
  );

/** JoinGroup v1. */
export const joinGroup = (correlation: number, group: string): Buffer =>
  request(11, 1, correlation, [
    text(group),
    i32(10_000),
    i32(60_000),
    text(''),
    text('consumer'),
    list([text('range'), i32(2), i16(0)]),
  ]);

export const apiVersions = (correlation: number, version: number): Buffer =>
  version >= 3
    ? request(18, version, correlation, [compact('client'), compact('1.0'), TAGS], { flexible: true })
    : request(18, version, correlation, []);
