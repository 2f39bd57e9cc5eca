/**
 * Frames of RocketMQ's remoting protocol (https://github.com/apache/rocketmq/blob/rocketmq-all-5.3.3/remoting/src/main/java/
 * org/apache/rocketmq/remoting/protocol/{RemotingCommand,RocketMQSerializable}.java):
 *
 *     ┌ length 4 ┬ serialization 1, header length 3 ┬ header: JSON (0) or binary (1) ┬ body ┐
 *
 *     binary: code 2, language 1, version 2, opaque 4, flag 4, remark 4 + n, fields 4 + n of (key 2 + n, value 4 + n)
 */
import type { ByteCursor } from '../byte-cursor.js';
import { BAD, MORE } from '../frame-reader.js';

export const PREFIX_BYTES = 8;
const JSON_HEADER = 0;
const BINARY_HEADER = 1;
const BINARY_LEAST = 21;
/** com.rocketmq.remoting.frameMaxLength */
const LARGEST_FRAME = 0x0100_0000;
const BRACE = 0x7b;

export const FLAG = { response: 1, oneWay: 2 } as const;

export interface CommandHeader {
  code: number;
  opaque: number;
  flag: number;
  remark: string;
  /** Of a request, those that are wanted by someone. */
  readonly fields: Map<string, string>;
}

export const createHeader = (): CommandHeader => ({
  code: -1,
  opaque: 0,
  flag: 0,
  remark: '',
  fields: new Map(),
});

/** Length of the frame at `start`, MORE or BAD. */
export function commandLength(bytes: Buffer, start: number, end: number): number {
  if (end - start < PREFIX_BYTES) return MORE;
  const length = bytes.readUInt32BE(start);
  const type = bytes[start + 4]!;
  const header = headerLength(bytes, start);
  if (length > LARGEST_FRAME || type > BINARY_HEADER || header + 4 > length) return BAD;
  if (type === BINARY_HEADER) return header < BINARY_LEAST ? BAD : length + 4;
  return header < 2 || (end - start > PREFIX_BYTES && bytes[start + PREFIX_BYTES] !== BRACE)
    ? BAD
    : length + 4;
}

export const headerLength = (bytes: Buffer, start: number): number =>
  bytes.readUInt32BE(start + 4) & 0x00ff_ffff;

/** Is the header at `start`, as far as it is visible, one of a command? */
export function isCommand(bytes: Buffer, start: number, end: number): boolean {
  if (end - start < PREFIX_BYTES + BINARY_LEAST) return false;
  const header = start + PREFIX_BYTES;
  if (bytes[start + 4] === JSON_HEADER) {
    const text = bytes.toString(
      'latin1',
      header,
      Math.min(end, header + headerLength(bytes, start), header + JSON_LOOK),
    );
    return JSON_START.test(text) && (text.includes('"opaque":') || text.includes('"extFields":{'));
  }
  const remark = bytes.readUInt32BE(header + 13);
  const flag = bytes.readUInt32BE(header + 9);
  if (bytes[header + 2]! > LAST_LANGUAGE || flag > 3 || remark > headerLength(bytes, start) - BINARY_LEAST)
    return false;
  const fields = header + 17 + remark;
  if (fields + 4 > end) return true;
  return fields + 4 + bytes.readUInt32BE(fields) === header + headerLength(bytes, start);
}

/** Whether a JSON header is one of a response; undefined where its flag is not visible. */
export function isResponse(bytes: Buffer, start: number, end: number): boolean | undefined {
  const header = start + PREFIX_BYTES;
  if (bytes[start + 4] === BINARY_HEADER) return (bytes.readUInt32BE(header + 9) & FLAG.response) !== 0;
  const text = bytes.toString('latin1', header, Math.min(end, header + headerLength(bytes, start)));
  const flag = /"flag":(\d)/.exec(text)?.[1];
  return flag === undefined ? undefined : (Number(flag) & FLAG.response) !== 0;
}

const JSON_LOOK = 512;
const JSON_START = /^\{(?:"code":-?\d+,"|"extFields":\{|"flag":\d,")/;
/** Languages of clients have numbers up to 12 now. */
const LAST_LANGUAGE = 24;

/** Reads the header of the frame at `cursor`, which stands at its first byte; false when not all of it is visible. */
export function readHeader(cursor: ByteCursor, into: CommandHeader, wanted: ReadonlySet<string>): boolean {
  const { bytes, pos: start } = cursor;
  const stop = start + PREFIX_BYTES + headerLength(bytes, start);
  const type = bytes[start + 4]!;
  into.fields.clear();
  into.remark = '';
  if (stop > cursor.end) return false;
  cursor.skip(PREFIX_BYTES);
  return type === BINARY_HEADER
    ? readBinary(cursor, stop, into, wanted)
    : readJson(bytes.toString('utf8', cursor.pos, stop), into, wanted);
}

function readBinary(
  cursor: ByteCursor,
  stop: number,
  into: CommandHeader,
  wanted: ReadonlySet<string>,
): boolean {
  into.code = (cursor.u16() << 16) >> 16;
  cursor.skip(3);
  into.opaque = cursor.u32() | 0;
  into.flag = cursor.u32();
  into.remark = cursor.text(cursor.u32());
  cursor.skip(4);
  while (cursor.ok && cursor.pos < stop) {
    const key = cursor.text(cursor.u16());
    const length = cursor.u32();
    if (wanted.has(key)) into.fields.set(key, cursor.text(length));
    else cursor.skip(length);
  }
  return cursor.ok;
}

function readJson(text: string, into: CommandHeader, wanted: ReadonlySet<string>): boolean {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    return false;
  }
  if (typeof parsed !== 'object' || parsed === null) return false;
  const { code, opaque, flag, remark, extFields } = parsed as Record<string, unknown>;
  if (typeof code !== 'number' || typeof opaque !== 'number') return false;
  into.code = code;
  into.opaque = opaque | 0;
  into.flag = typeof flag === 'number' ? flag : 0;
  into.remark = typeof remark === 'string' ? remark : '';
  if (typeof extFields !== 'object' || extFields === null) return true;
  const values = extFields as Record<string, unknown>;
  for (const key of wanted) {
    const value = values[key];
    if (typeof value === 'string') into.fields.set(key, value);
    else if (typeof value === 'number' || typeof value === 'boolean') into.fields.set(key, String(value));
  }
  return true;
}
