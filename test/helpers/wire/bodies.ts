/** What probes carry: a small request of each signal, and every way to compress it. */
import { deflateRawSync, deflateSync, gzipSync } from 'node:zlib';
import type { Signal } from '../../../src/component/signal.js';
import { fromJson } from '../../../src/otlp/json-reader.js';
import { crc32c } from '../../../src/transport/crc32c.js';

const RESOURCE = { attributes: [{ key: 'service.name', value: { stringValue: 'shop' } }] };
const TRACE_ID = '5b8efff798038103d269b633813fc60c';
const SPAN_ID = 'eee19b7ec3c1b174';

export const SPAN = { traceId: TRACE_ID, spanId: SPAN_ID, name: 'GET /', kind: 2, startTimeUnixNano: '1' };

export const JSON_REQUESTS: Readonly<Record<Signal, unknown>> = {
  traces: { resourceSpans: [{ resource: RESOURCE, scopeSpans: [{ spans: [SPAN] }] }] },
  metrics: {
    resourceMetrics: [
      {
        resource: RESOURCE,
        scopeMetrics: [
          { metrics: [{ name: 'queue', gauge: { dataPoints: [{ timeUnixNano: '2', asInt: '7' }] } }] },
        ],
      },
    ],
  },
  logs: {
    resourceLogs: [
      {
        resource: RESOURCE,
        scopeLogs: [{ logRecords: [{ timeUnixNano: '3', body: { stringValue: 'hello' } }] }],
      },
    ],
  },
  profiles: {
    resourceProfiles: [
      { scopeProfiles: [{ profiles: [{ profileId: TRACE_ID, samples: [{ values: ['1'] }] }] }] },
    ],
  },
};

export const SIGNALS = ['traces', 'metrics', 'logs', 'profiles'] as const satisfies readonly Signal[];

export const json = (signal: Signal): Buffer => Buffer.from(JSON.stringify(JSON_REQUESTS[signal]));
export const proto = (signal: Signal): Buffer =>
  Buffer.from(fromJson(signal, JSON.stringify(JSON_REQUESTS[signal])));

/** Traces of about `bytes` bytes. */
export function largeTraces(bytes: number): Buffer {
  const attributes = [{ key: 'padding', value: { stringValue: 'x'.repeat(bytes) } }];
  const request = { resourceSpans: [{ scopeSpans: [{ spans: [{ ...SPAN, attributes }] }] }] };
  return Buffer.from(fromJson('traces', JSON.stringify(request)));
}

/**
 * The formats that Node.js can't write, with their contents uncompressed inside: what a decoder must take as it takes the
 * rest, and the same bytes on every machine.
 */
export function snappyBlock(bytes: Uint8Array): Buffer {
  const pieces: Uint8Array[] = [varint(bytes.length)];
  for (let at = 0; at < bytes.length; at += 60) {
    const piece = bytes.subarray(at, at + 60);
    pieces.push(Buffer.from([(piece.length - 1) << 2]), piece);
  }
  return Buffer.concat(pieces);
}

/** One letter `count` times, in a few bytes. */
export function snappyRun(count: number): Buffer {
  const pieces: Buffer[] = [varint(count), Buffer.from([0x00, 0x78])];
  for (let left = count - 1; left > 0; left -= 64) {
    pieces.push(Buffer.from([((Math.min(left, 64) - 1) << 2) | 2, 1, 0]));
  }
  return Buffer.concat(pieces);
}

export function snappyFramed(bytes: Uint8Array): Buffer {
  const pieces: Uint8Array[] = [Buffer.from('ff060000734e61507059', 'hex')];
  for (let at = 0; at < bytes.length; at += 65_536) {
    const piece = bytes.subarray(at, at + 65_536);
    const head = Buffer.alloc(8);
    head.writeUInt32LE(((piece.length + 4) << 8) | 1, 0);
    const crc = crc32c(piece);
    head.writeUInt32LE((((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0, 4);
    pieces.push(head, piece);
  }
  return Buffer.concat(pieces);
}

export function zstdStored(bytes: Uint8Array): Buffer {
  const head = Buffer.alloc(9);
  head.writeUInt32LE(0xfd2fb528, 0);
  // One segment, its size in four bytes.
  head[4] = 0xa0;
  head.writeUInt32LE(bytes.length, 5);
  const pieces: Uint8Array[] = [head];
  for (let at = 0; at < bytes.length || at === 0; at += 65_536) {
    const piece = bytes.subarray(at, at + 65_536);
    const isLast = at + 65_536 >= bytes.length;
    const block = Buffer.alloc(3);
    block.writeUIntLE((piece.length << 3) | (isLast ? 1 : 0), 0, 3);
    pieces.push(block, piece);
  }
  return Buffer.concat(pieces);
}

export function lz4Stored(bytes: Uint8Array): Buffer {
  const pieces: Uint8Array[] = [Buffer.from('04224d18604082', 'hex')];
  for (let at = 0; at < bytes.length; at += 65_536) {
    const piece = bytes.subarray(at, at + 65_536);
    const size = Buffer.alloc(4);
    size.writeUInt32LE((piece.length | 0x8000_0000) >>> 0, 0);
    pieces.push(size, piece);
  }
  return Buffer.concat([...pieces, Buffer.alloc(4)]);
}

export const COMPRESSORS: Readonly<Record<string, (bytes: Uint8Array) => Buffer>> = {
  gzip: (bytes) => gzipSync(bytes),
  zlib: (bytes) => deflateSync(bytes),
  deflate: (bytes) => deflateSync(bytes),
  'raw deflate': (bytes) => deflateRawSync(bytes),
  snappy: snappyBlock,
  'x-snappy-framed': snappyFramed,
  zstd: zstdStored,
  lz4: lz4Stored,
};

export function varint(value: number): Buffer {
  const out: number[] = [];
  let rest = value;
  for (; rest >= 0x80; rest >>>= 7) out.push((rest & 0x7f) | 0x80);
  return Buffer.from([...out, rest]);
}
