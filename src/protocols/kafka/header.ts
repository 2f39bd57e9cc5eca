/**
 * Before each Kafka message stands its length (4 bytes, big endian); then
 *
 *     request:  key 2 ┬ version 2 ┬ correlation id 4 ┬ client id (2 + text) ┬ tagged fields when flexible
 *     response: correlation id 4 ┬ tagged fields when flexible
 */
import { API, apiOf, type KafkaApi } from './apis.js';

export const LENGTH_BYTES = 4;
/** Smallest request: its header without a client id. */
const SHORTEST_REQUEST = 8;
/** Brokers refuse requests of more than 100 MiB, and fetch 50 MiB, unless told otherwise. */
const LONGEST = 0x1000_0000;
/** Keys and versions of brokers newer than the table. */
const HIGHEST_KEY = 127;
const HIGHEST_VERSION = 40;
/** Names of clients are short. */
const LONGEST_CLIENT_ID = 512;

/** Length of the message at `start`, itself included; 0 when that is not visible, -1 when there is none. */
export function messageLength(bytes: Buffer, start: number, end: number, shortest: number): number {
  if (bytes[start]! >= LONGEST >>> 24) return -1;
  if (end - start < LENGTH_BYTES) return 0;
  const length = bytes.readUInt32BE(start);
  return length < shortest || length >= LONGEST ? -1 : length + LENGTH_BYTES;
}

export function requestLength(bytes: Buffer, start: number, end: number): number {
  const length = messageLength(bytes, start, end, SHORTEST_REQUEST);
  if (length <= 0 || end - start < LENGTH_BYTES + 4) return length < 0 ? -1 : 0;
  return isKnown(bytes.readUInt16BE(start + 4), bytes.readUInt16BE(start + 6)) ? length : -1;
}

function isKnown(key: number, version: number): boolean {
  const api = apiOf(key);
  if (api === undefined) return key <= HIGHEST_KEY && version <= HIGHEST_VERSION;
  return version >= api.lowest && version <= api.highest + 8;
}

export interface RequestHeader {
  readonly key: number;
  readonly version: number;
  readonly correlation: number;
  readonly api: KafkaApi | undefined;
  /** `bytes[clientStart, clientEnd)`; empty where there is none. */
  readonly clientStart: number;
  readonly clientEnd: number;
  /** Position of the body; beyond what is visible when the header was cut. */
  readonly body: number;
}

/** The header of the request whose length stands at `start`; undefined when it is none, or is cut before the client id. */
export function readRequestHeader(bytes: Buffer, start: number, end: number): RequestHeader | undefined {
  if (end - start < LENGTH_BYTES + SHORTEST_REQUEST) return undefined;
  const limit = start + LENGTH_BYTES + bytes.readUInt32BE(start);
  const key = bytes.readUInt16BE(start + 4);
  const version = bytes.readUInt16BE(start + 6);
  if (!isKnown(key, version)) return undefined;
  const api = apiOf(key);
  const correlation = bytes.readInt32BE(start + 8);
  let at = start + LENGTH_BYTES + SHORTEST_REQUEST;
  let clientEnd = at;
  let clientStart = at;
  if (key !== API.controlledShutdown || version > 0) {
    if (at + 2 > end) return undefined;
    const length = bytes.readInt16BE(at);
    if (length < -1 || length > LONGEST_CLIENT_ID || at + 2 + length > limit) return undefined;
    clientStart = at + 2;
    at = clientStart + Math.max(0, length);
    clientEnd = Math.min(at, end);
    for (let i = clientStart; i < clientEnd; i++) if (bytes[i]! < 0x20 || bytes[i] === 0x7f) return undefined;
  }
  if (version >= (api?.flexible ?? 0)) at = skipTags(bytes, at, end, limit);
  if (at < 0) return undefined;
  return { key, version, correlation, api, clientStart, clientEnd, body: at };
}

/** Position after the tagged fields at `at`: almost always none. -1 when they make no sense. */
export function skipTags(bytes: Buffer, at: number, end: number, limit: number): number {
  if (at >= limit) return -1;
  if (at >= end) return at + 1;
  let position = at + 1;
  for (let count = bytes[at]!; count > 0; count--) {
    if (count > 16 || position + 1 >= end) return count > 16 ? -1 : end + 1;
    const size = bytes[position + 1]!;
    if (size >= 0x80) return -1;
    position += 2 + size;
  }
  return position > limit ? -1 : position;
}
