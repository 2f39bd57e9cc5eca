/**
 * Header of Dubbo 2 (https://dubbo.apache.org/en/docs3-v2/java-sdk/reference-manual/protocol/dubbo/, class ExchangeCodec):
 *
 *     ┌ 0xDABB ┬ request 1, two-way 1, event 1, serialization 5 bits ┬ status 1 ┬ id 8 ┬ body length 4 ┬ body …
 */
import { BAD, MORE } from '../frame-reader.js';

export const HEADER_BYTES = 16;
export const FLAG = { request: 0x80, twoWay: 0x40, event: 0x20, serialization: 0x1f } as const;
/** Ids of serializations of which texts can be read. */
export const SERIALIZATION = { hessian2: 2, fastjson: 6, fastjson2: 23 } as const;
/** Dubbo's own limit is 8 MiB unless configured. */
const LARGEST_BODY = 0x1000_0000;

const STATUSES: ReadonlyMap<number, string> = new Map([
  [20, 'OK'],
  [25, 'SERIALIZATION_ERROR'],
  [30, 'CLIENT_TIMEOUT'],
  [31, 'SERVER_TIMEOUT'],
  [35, 'CHANNEL_INACTIVE'],
  [40, 'BAD_REQUEST'],
  [50, 'BAD_RESPONSE'],
  [60, 'SERVICE_NOT_FOUND'],
  [70, 'SERVICE_ERROR'],
  [80, 'SERVER_ERROR'],
  [90, 'CLIENT_ERROR'],
  [100, 'SERVER_THREADPOOL_EXHAUSTED_ERROR'],
]);
export const OK = 20;

export const statusName = (status: number): string => STATUSES.get(status) ?? '_OTHER';

/** Length of the message at `start`, MORE or BAD. */
export function dubboLength(bytes: Buffer, start: number, end: number): number {
  if (bytes[start] !== 0xda) return BAD;
  if (end - start < HEADER_BYTES) return end - start > 1 && bytes[start + 1] !== 0xbb ? BAD : MORE;
  if (bytes[start + 1] !== 0xbb) return BAD;
  const flags = bytes[start + 2]!;
  const status = bytes[start + 3]!;
  if ((flags & FLAG.request) === 0 && !STATUSES.has(status)) return BAD;
  const body = bytes.readUInt32BE(start + 12);
  return body > LARGEST_BODY ? BAD : HEADER_BYTES + body;
}
