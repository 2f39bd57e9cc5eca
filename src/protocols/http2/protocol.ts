/** HTTP/2 (RFC 9113) and gRPC over it. */

import type { WireExchange } from '../exchange.js';
import { describeHttp, HTTP_ATTRIBUTES, type HttpDetail } from '../http/describe.js';
import { CERTAIN, LIKELY, NOT_OURS, POSSIBLE, type Protocol, type Side, type Verdict } from '../protocol.js';
import { CONTEXT_HEADERS } from '../trace-context/carriers.js';
import { Http2Detail } from './detail.js';
import { contentOf, frameLengthAt, HEADER_BYTES, isFrameHeader, PREFACE, TYPE } from './frames.js';
import { describeGrpc, GRPC_ATTRIBUTES } from './grpc.js';
import { Http2Parser, prefaceLength, startsFrames } from './parser.js';

export const http2Protocol: Protocol<HttpDetail> = {
  name: 'http2',
  title: 'HTTP/2 and gRPC',
  convention: 'http',
  transports: ['tcp', 'unix'],
  ports: [50051],
  pairing: 'by_id',
  serverFirst: false,
  carriers: CONTEXT_HEADERS.map((name) => `header \`${name}\``),
  capture: { request: { head: 1024, tail: 0 }, response: { head: 512, tail: 0 } },
  docs: {
    parsed:
      'HTTP/2 by prior knowledge, after `Upgrade: h2c`, and joined in the middle; HPACK for each direction; interim responses, trailers, resets; gRPC: unary and streaming calls, `grpc-status`, `grpc-message`',
    spanName: '`{method} {template}` as for HTTP/1.x; gRPC: `{package.Service}/{Method}`',
    attributes: [...HTTP_ATTRIBUTES, ...GRPC_ATTRIBUTES],
    errors:
      'as for HTTP/1.x; gRPC client: every status but OK; gRPC server: UNKNOWN, DEADLINE_EXCEEDED, UNIMPLEMENTED, INTERNAL, UNAVAILABLE, DATA_LOSS; a reset stream',
    limits: [
      'Joined in the middle, or after lost bytes: fields that refer to entries of the header table from before are unknown; the exchange says `gap`, and a gRPC call whose path is one of them is named `grpc`.',
      'A header block of more than 64 KiB is not read; server push is passed over.',
    ],
  },

  recognise,
  createParser: (host) => new Http2Parser(host),

  describe(exchange, span, options) {
    const { detail } = exchange;
    if (detail instanceof Http2Detail && detail.grpc) {
      describeGrpc(exchange as WireExchange<Http2Detail>, span);
      return;
    }
    describeHttp(exchange, span, options);
    if (detail instanceof Http2Detail && detail.resetCode !== undefined) {
      span.errorType = RESETS[detail.resetCode] ?? 'reset';
    }
  },
};

/** RFC 9113 section 7. */
const RESETS = [
  undefined,
  'PROTOCOL_ERROR',
  'INTERNAL_ERROR',
  'FLOW_CONTROL_ERROR',
  'SETTINGS_TIMEOUT',
  'STREAM_CLOSED',
  'FRAME_SIZE_ERROR',
  'REFUSED_STREAM',
  'CANCEL',
  'COMPRESSION_ERROR',
  'CONNECT_ERROR',
  'ENHANCE_YOUR_CALM',
  'INADEQUATE_SECURITY',
  'HTTP_1_1_REQUIRED',
];

function recognise(bytes: Buffer, start: number, end: number, from: Side | undefined): Verdict {
  if (bytes[start] === 0x50) {
    const preface = prefaceLength(bytes, start, end);
    if (preface === PREFACE.length) return CERTAIN;
    return preface >= 0 && end - start >= 6 ? LIKELY : NOT_OURS;
  }
  // Frames are shorter than 1 MiB, so the length begins with a small byte.
  if (end - start < HEADER_BYTES || bytes[start]! > 0x10 || !startsFrames(bytes, start, end)) return NOT_OURS;
  const type = bytes[start + 3]!;
  // A client's first frame is behind the preface, so this one begins a server's half.
  if (type === TYPE.settings) return settingsVerdict(bytes, start, end, from ?? 'server');
  if (type === TYPE.headers) return headersVerdict(bytes, start, end);
  const next = start + HEADER_BYTES + frameLengthAt(bytes, start);
  if (next + HEADER_BYTES > end || !isFrameHeader(bytes, next)) return sided(20, from);
  return bytes[next + 3] === TYPE.headers ? headersVerdict(bytes, next, end) : sided(POSSIBLE, from);
}

/** What either end may send says nothing where nobody knows who it was. */
function sided(confidence: number, from: Side | undefined): Verdict {
  if (from === undefined) return NOT_OURS;
  return from === 'client' ? confidence : -confidence;
}

/** Settings of RFC 9113 section 6.5.2, RFC 8441 and RFC 9218 have the identifiers 1 to 9. */
function settingsVerdict(bytes: Buffer, start: number, end: number, from: Side | undefined): Verdict {
  const length = frameLengthAt(bytes, start);
  const stop = Math.min(end, start + HEADER_BYTES + length);
  let known = 0;
  for (let at = start + HEADER_BYTES; at + 6 <= stop; at += 6) {
    const id = bytes.readUInt16BE(at);
    if (id === 0 || id > 9) {
      // GREASE (RFC 8701) and private ones exist, but not only those.
      continue;
    }
    known++;
  }
  if (length > 0 && known === 0) return NOT_OURS;
  const followed = start + HEADER_BYTES + length + HEADER_BYTES <= end;
  if (length === 0) return followed ? sided(85, from) : sided(LIKELY, from);
  return sided(known * 6 === length ? 90 : LIKELY, from);
}

/** The first field of a block tells requests (`:method`, `:scheme`, `:path`, …) from responses (`:status`). */
function headersVerdict(bytes: Buffer, start: number, end: number): Verdict {
  const content = contentOf(bytes, start, HEADER_BYTES + frameLengthAt(bytes, start));
  if (content === undefined || content.start >= end) return NOT_OURS;
  const first = bytes[content.start]!;
  if (first >= 0x82 && first <= 0x87) return 85;
  if (first >= 0x88 && first <= 0x8e) return -85;
  // A literal `:authority`, `:path` or `:method`; a literal `:status`; a size update before either.
  if (first === 0x41 || first === 0x44 || first === 0x45 || first === 0x43) return LIKELY;
  if (first === 0x48 || first === 0x08) return -LIKELY;
  return NOT_OURS;
}
