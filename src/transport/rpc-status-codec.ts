/**
 * `google.rpc.Status` to and from bytes and JSON: the body of an OTLP/HTTP error and the `grpc-status-details-bin`
 * trailer. Only the fields that OTLP uses are kept; others are skipped.
 *
 *     Status    { int32 code = 1; string message = 2; repeated Any details = 3; }
 *     Any       { string type_url = 1; bytes value = 2; }
 *     RetryInfo { Duration retry_delay = 1; }    Duration { int64 seconds = 1; int32 nanos = 2; }
 *
 * Source: https://github.com/googleapis/googleapis/blob/master/google/rpc/{status,error_details}.proto
 */
import type { RpcStatus } from './grpc-status.js';

const RETRY_INFO_TYPE = 'type.googleapis.com/google.rpc.RetryInfo';

export function encodeRpcStatus(status: RpcStatus): Buffer {
  const parts = [...varintField(1, status.code), ...bytesField(2, Buffer.from(status.message, 'utf8'))];
  if (status.retryDelayMs !== undefined) {
    const seconds = Math.floor(status.retryDelayMs / 1000);
    const nanos = Math.round((status.retryDelayMs - seconds * 1000) * 1e6);
    const delay = Buffer.concat([...varintField(1, seconds), ...varintField(2, nanos)]);
    // An empty Duration is still written: "now" differs from "no RetryInfo".
    const retryInfo = Buffer.concat([lengthPrefix(1, delay.length), delay]);
    const any = Buffer.concat([...bytesField(1, Buffer.from(RETRY_INFO_TYPE)), ...bytesField(2, retryInfo)]);
    parts.push(...bytesField(3, any));
  }
  return Buffer.concat(parts);
}

/** Undefined when `bytes` are not a protobuf message. */
export function decodeRpcStatus(bytes: Uint8Array): RpcStatus | undefined {
  let code = 0;
  let message = '';
  let retryDelayMs: number | undefined;
  const complete = forEachField(bytes, (field, value) => {
    if (field === 1 && typeof value === 'number') code = value;
    else if (field === 2 && typeof value !== 'number') message = Buffer.from(value).toString('utf8');
    else if (field === 3 && typeof value !== 'number') retryDelayMs = retryDelayOf(value) ?? retryDelayMs;
  });
  return complete ? { code, message, retryDelayMs } : undefined;
}

/** The JSON of protojson: `{"code":14,"message":"…","details":[…]}`. */
export function rpcStatusToJson(status: RpcStatus): string {
  const details =
    status.retryDelayMs === undefined
      ? undefined
      : [{ '@type': RETRY_INFO_TYPE, retryDelay: `${status.retryDelayMs / 1000}s` }];
  return JSON.stringify({ code: status.code, message: status.message, details });
}

/** Undefined when `text` is not such a JSON object. */
export function rpcStatusFromJson(text: string): RpcStatus | undefined {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== 'object' || value === null) return undefined;
    const { code, message } = value as { code?: unknown; message?: unknown };
    return {
      code: typeof code === 'number' ? code : 0,
      message: typeof message === 'string' ? message : '',
    };
  } catch {
    return undefined;
  }
}

function retryDelayOf(any: Uint8Array): number | undefined {
  let type = '';
  let value: Uint8Array = new Uint8Array();
  forEachField(any, (field, content) => {
    if (field === 1 && typeof content !== 'number') type = Buffer.from(content).toString('utf8');
    else if (field === 2 && typeof content !== 'number') value = content;
  });
  if (type !== RETRY_INFO_TYPE) return undefined;
  let delayMs: number | undefined;
  forEachField(value, (field, duration) => {
    if (field !== 1 || typeof duration === 'number') return;
    delayMs = 0;
    forEachField(duration, (part, number) => {
      if (typeof number !== 'number') return;
      delayMs = (delayMs ?? 0) + (part === 1 ? number * 1000 : part === 2 ? number / 1e6 : 0);
    });
  });
  return delayMs;
}

type FieldVisitor = (field: number, value: number | Uint8Array) => void;

/** Visits varint and length-delimited fields; false when the bytes end early or use another wire type. */
export function forEachField(bytes: Uint8Array, visit: FieldVisitor): boolean {
  let at = 0;
  const varint = (): number => {
    let value = 0;
    for (let shift = 1; at < bytes.length && shift < 2 ** 64; shift *= 128) {
      const byte = bytes[at++]!;
      value += (byte & 0x7f) * shift;
      if (byte < 0x80) return value;
    }
    return -1;
  };
  while (at < bytes.length) {
    const tag = varint();
    const wireType = tag & 7;
    if (tag < 0 || (wireType !== 0 && wireType !== 2)) return false;
    const value = varint();
    if (value < 0) return false;
    if (wireType === 0) {
      visit(tag >>> 3, value);
    } else {
      if (value > bytes.length - at) return false;
      visit(tag >>> 3, bytes.subarray(at, at + value));
      at += value;
    }
  }
  return true;
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  for (let rest = value; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) {
      bytes.push(rest);
      return Buffer.from(bytes);
    }
    bytes.push((rest % 128) | 0x80);
  }
}

const lengthPrefix = (field: number, length: number): Buffer =>
  Buffer.concat([varint(field * 8 + 2), varint(length)]);

const varintField = (field: number, value: number): Buffer[] =>
  value === 0 ? [] : [varint(field * 8), varint(value)];

const bytesField = (field: number, value: Buffer): Buffer[] =>
  value.length === 0 ? [] : [lengthPrefix(field, value.length), value];
