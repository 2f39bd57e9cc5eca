/**
 * What a server answers: `Export*ServiceResponse` on success, `google.rpc.Status` on failure, both as protobuf and JSON.
 * Sources: https://opentelemetry.io/docs/specs/otlp/ (1.9), googleapis google/rpc/status.proto, error_details.proto.
 *
 *     Export*ServiceResponse   1 partial_success
 *     Export*PartialSuccess    1 rejected_* (int64)  2 error_message
 *     google.rpc.Status        1 code (int32)  2 message  3 details (google.protobuf.Any)
 *     google.protobuf.Any      1 type_url  2 value
 *     google.rpc.RetryInfo     1 retry_delay (Duration: 1 seconds  2 nanos)
 */
import { InvalidJsonError } from './json-cursor.js';
import type { SignalName } from './messages.js';
import { field, WireReader } from './wire-reader.js';
import { WireWriter } from './wire-writer.js';

/** Some items were refused for good, or (`rejected` 0) there is something to tell the sender. */
export interface PartialSuccess {
  readonly rejected: number;
  readonly message: string;
}

/** A `google.rpc.Status`. */
export interface RpcStatus {
  /** A gRPC code, for example 14 (UNAVAILABLE). */
  readonly code: number;
  readonly message: string;
  /** How long the sender should wait before it tries again. */
  readonly retryDelayMs?: number | undefined;
}

const PARTIAL = field.delimited(1);
const REJECTED = field.varint(1);
const TEXT = field.delimited(2);
const CODE = field.varint(1);
const DETAIL = field.delimited(3);
const TYPE_URL = field.delimited(1);
const ANY_BYTES = field.delimited(2);
const RETRY_DELAY = field.delimited(1);
const SECONDS = field.varint(1);
const NANOS = field.varint(2);
const RETRY_INFO = 'type.googleapis.com/google.rpc.RetryInfo';

/** Without `partial` this is what a Collector sends: an empty partial_success, two bytes. */
export function encodeExportResponse(partial?: PartialSuccess): Uint8Array {
  const writer = new WireWriter(64);
  const mark = writer.open(PARTIAL, 1);
  if (partial !== undefined && partial.rejected > 0) writer.varintField(REJECTED, partial.rejected);
  if (partial !== undefined && partial.message !== '') writer.stringField(TEXT, partial.message);
  writer.close(mark);
  return writer.finish();
}

const REJECTED_NAMES = {
  traces: 'rejectedSpans',
  metrics: 'rejectedDataPoints',
  logs: 'rejectedLogRecords',
  profiles: 'rejectedProfiles',
} as const satisfies Record<SignalName, string>;

export function exportResponseToJson(signal: SignalName, partial?: PartialSuccess): string {
  const fields: { [name: string]: string; errorMessage?: string } = {};
  if (partial !== undefined && partial.rejected > 0)
    fields[REJECTED_NAMES[signal]] = String(partial.rejected);
  if (partial !== undefined && partial.message !== '') fields.errorMessage = partial.message;
  return JSON.stringify({ partialSuccess: fields });
}

/** The partial success in a server's answer; undefined when all was accepted without a word. Throws `MalformedError`. */
export function decodeExportResponse(bytes: Uint8Array): PartialSuccess | undefined {
  let rejected = 0;
  let message = '';
  const outer = new WireReader(bytes);
  for (let tag = outer.next(); tag !== 0; tag = outer.next()) {
    if (tag !== PARTIAL) continue;
    const inner = new WireReader(bytes, outer.start, outer.pos);
    for (let child = inner.next(); child !== 0; child = inner.next()) {
      if (child === REJECTED) {
        inner.varint();
        rejected = inner.hi * 0x1_0000_0000 + inner.lo;
      } else if (child === TEXT) message = inner.text();
    }
  }
  return rejected === 0 && message === '' ? undefined : { rejected, message };
}

/** The same from a JSON answer. Throws `InvalidJsonError`. */
export function exportResponseFromJson(signal: SignalName, text: string): PartialSuccess | undefined {
  const partial = member(parseObject(text), 'partialSuccess', 'partial_success');
  const snake = REJECTED_NAMES[signal].replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
  const rejected = Number(member(partial, REJECTED_NAMES[signal], snake) ?? 0);
  const message = member(partial, 'errorMessage', 'error_message') ?? '';
  if (!Number.isSafeInteger(rejected) || typeof message !== 'string') {
    throw new InvalidJsonError('The fields of partialSuccess have the wrong types.', 'partialSuccess', 0);
  }
  return rejected === 0 && message === '' ? undefined : { rejected, message };
}

export function encodeStatus(status: RpcStatus): Uint8Array {
  const writer = new WireWriter(64 + status.message.length);
  if (status.code !== 0) {
    writer.varint(CODE);
    writer.int64(status.code);
  }
  if (status.message !== '') writer.stringField(TEXT, status.message);
  if (status.retryDelayMs !== undefined) {
    const detail = writer.open(DETAIL, 1);
    writer.stringField(TYPE_URL, RETRY_INFO);
    const info = writer.open(ANY_BYTES, 1);
    const delay = writer.open(RETRY_DELAY, 1);
    const { seconds, nanos } = splitDelay(status.retryDelayMs);
    if (seconds > 0) writer.varintField(SECONDS, seconds);
    if (nanos > 0) writer.varintField(NANOS, nanos);
    for (const mark of [delay, info, detail]) writer.close(mark);
  }
  return writer.finish();
}

/** Unknown details are skipped. Throws `MalformedError`. */
export function decodeStatus(bytes: Uint8Array): RpcStatus {
  let code = 0;
  let message = '';
  let retryDelayMs: number | undefined;
  const reader = new WireReader(bytes);
  for (let tag = reader.next(); tag !== 0; tag = reader.next()) {
    if (tag === CODE) code = reader.varint32() | 0;
    else if (tag === TEXT) message = reader.text();
    else if (tag === DETAIL) retryDelayMs = readRetryInfo(bytes, reader.start, reader.pos) ?? retryDelayMs;
  }
  return retryDelayMs === undefined ? { code, message } : { code, message, retryDelayMs };
}

/** In the form of protobuf's JSON mapping: `{"code":14,"message":"...","details":[...]}`. */
export function statusToJson(status: RpcStatus): string {
  const details =
    status.retryDelayMs === undefined
      ? {}
      : { details: [{ '@type': RETRY_INFO, retryDelay: durationText(status.retryDelayMs) }] };
  const message = status.message === '' ? {} : { message: status.message };
  return JSON.stringify({ code: status.code, ...message, ...details });
}

/** A Duration in JSON: no fraction, or one of three, six or nine digits. */
function durationText(ms: number): string {
  const { seconds, nanos } = splitDelay(ms);
  if (nanos === 0) return `${seconds}s`;
  const digits = String(nanos)
    .padStart(9, '0')
    .replace(/(?:000){1,2}$/, '');
  return `${seconds}.${digits}s`;
}

/** Throws `InvalidJsonError`. */
export function statusFromJson(text: string): RpcStatus {
  const object = parseObject(text);
  const code = Number(member(object, 'code') ?? 0);
  const message = member(object, 'message') ?? '';
  const details = member(object, 'details');
  if (!Number.isInteger(code) || typeof message !== 'string') {
    throw new InvalidJsonError('The fields of the status have the wrong types.', '', 0);
  }
  for (const detail of Array.isArray(details) ? details : []) {
    const delay = member(detail, 'retryDelay', 'retry_delay');
    const seconds = typeof delay === 'string' ? /^(\d+(?:\.\d+)?)s$/.exec(delay)?.[1] : undefined;
    if (member(detail, '@type') === RETRY_INFO && seconds !== undefined) {
      return { code, message, retryDelayMs: Number(seconds) * 1000 };
    }
  }
  return { code, message };
}

function readRetryInfo(bytes: Uint8Array, start: number, end: number): number | undefined {
  let type = '';
  let ms: number | undefined;
  const any = new WireReader(bytes, start, end);
  for (let tag = any.next(); tag !== 0; tag = any.next()) {
    if (tag === TYPE_URL) type = any.text();
    else if (tag === ANY_BYTES && type === RETRY_INFO) ms = readRetryDelay(bytes, any.start, any.pos);
  }
  return ms;
}

function readRetryDelay(bytes: Uint8Array, start: number, end: number): number {
  let seconds = 0;
  let nanos = 0;
  const info = new WireReader(bytes, start, end);
  for (let tag = info.next(); tag !== 0; tag = info.next()) {
    if (tag !== RETRY_DELAY) continue;
    const duration = new WireReader(bytes, info.start, info.pos);
    for (let part = duration.next(); part !== 0; part = duration.next()) {
      if (part === SECONDS) {
        duration.varint();
        seconds = duration.hi * 0x1_0000_0000 + duration.lo;
      } else if (part === NANOS) nanos = duration.varint32();
    }
  }
  return seconds * 1000 + nanos / 1_000_000;
}

function splitDelay(ms: number): { seconds: number; nanos: number } {
  const seconds = Math.floor(ms / 1000);
  return { seconds, nanos: Math.round((ms - seconds * 1000) * 1_000_000) };
}

function parseObject(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new InvalidJsonError(`Not JSON: ${(cause as Error).message}`, '', 0);
  }
}

/** The first of the named members that `value`, of unknown shape, has. */
function member(value: unknown, ...names: string[]): unknown {
  if (typeof value !== 'object' || value === null) return undefined;
  for (const name of names) {
    const found = Object.getOwnPropertyDescriptor(value, name);
    if (found !== undefined) return found.value;
  }
  return undefined;
}
