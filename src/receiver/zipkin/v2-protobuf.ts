/** Zipkin v2 protobuf, with the sentences of github.com/openzipkin/zipkin-go v0.4.3. */
import { decodeMessage } from '../../otlp/decode.js';
import { toHex } from '../../otlp/ids.js';
import { MalformedError } from '../../otlp/malformed-error.js';
import { ipOfBytes } from '../../zipkin/ip-text.js';
import { type ZipkinEndpoint, ZipkinError, type ZipkinSpan } from '../../zipkin/model.js';
import { KINDS, LIST_OF_SPANS, type ZipkinProtoEndpoint, type ZipkinProtoSpan } from '../../zipkin/proto.js';
import { timeFromMicros } from './v2-json.js';

/** Throws `ZipkinError`. */
export function readV2Protobuf(body: Uint8Array): ZipkinSpan[] {
  let spans: readonly ZipkinProtoSpan[];
  try {
    ({ spans } = decodeMessage(LIST_OF_SPANS, body) as { spans: readonly ZipkinProtoSpan[] });
  } catch (error) {
    if (!(error instanceof MalformedError)) throw error;
    throw new ZipkinError(`proto: cannot parse invalid wire-format data: ${error.message}`, { cause: error });
  }
  return spans.map(readSpan);
}

function readSpan(span: ZipkinProtoSpan): ZipkinSpan {
  if (span.traceId.length !== 16) {
    throw new ZipkinError(`invalid TraceID: has length ${span.traceId.length} yet wanted length 16`);
  }
  const parentId = readId(span.parentId, 'ParentID');
  const id = readId(span.id, 'SpanID');
  if (id === '') throw new ZipkinError('expected a non-nil SpanID');
  return {
    traceId: toHex(span.traceId),
    id,
    parentId,
    name: span.name,
    kind: KINDS[span.kind] ?? '',
    timestampUs: Number(span.timestamp),
    durationUs: Number(span.duration),
    local: readEndpoint(span.localEndpoint),
    remote: readEndpoint(span.remoteEndpoint),
    annotations: span.annotations.map(({ timestamp, value }) => ({
      time: timeFromMicros(Number(timestamp)),
      value,
    })),
    tags: new Map(span.tags.map(({ key, value }) => [key, value])),
  };
}

function readId(bytes: Uint8Array, what: string): string {
  if (bytes.length === 0) return '';
  if (bytes.length !== 8)
    throw new ZipkinError(`invalid ${what}: has length ${bytes.length} yet wanted length 8`);
  return toHex(bytes);
}

const readEndpoint = (endpoint: ZipkinProtoEndpoint | undefined): ZipkinEndpoint | undefined =>
  endpoint === undefined
    ? undefined
    : {
        serviceName: endpoint.serviceName,
        ipv4: ipOfBytes(endpoint.ipv4),
        ipv6: ipOfBytes(endpoint.ipv6),
        port: endpoint.port & 0xffff,
      };
