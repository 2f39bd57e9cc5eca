/**
 * Zipkin v1 Thrift: a list of spans in the binary encoding, without a message around it.
 * Source: https://github.com/jaegertracing/jaeger-idl/blob/v0.9.0/thrift/zipkincore.thrift.
 */
import type { AttributeInput } from '../../otlp/attribute-writer.js';
import { ThriftBinaryReader } from '../../thrift/binary-reader.js';
import { ThriftError } from '../../thrift/thrift-error.js';
import { ThriftType } from '../../thrift/thrift-reader.js';
import { ipOfBytes } from '../../zipkin/ip-text.js';
import { ZipkinError } from '../../zipkin/model.js';
import type { V1Annotation, V1BinaryAnnotation, V1Endpoint, V1Span } from './v1-model.js';

const { i16, i32, i64, string, struct, list } = ThriftType;

/** Throws `ZipkinError`. */
export function readV1Thrift(body: Uint8Array): V1Span[] {
  const reader = new ThriftBinaryReader(body);
  try {
    return reader.list(struct, () => readSpan(reader));
  } catch (error) {
    if (!(error instanceof ThriftError)) throw error;
    throw new ZipkinError(error.message, { cause: error });
  }
}

function readSpan(reader: ThriftBinaryReader): V1Span {
  const span = {
    high: '0'.repeat(16),
    low: '0'.repeat(16),
    id: '0'.repeat(16),
    parentId: '',
    name: '',
    timestampUs: 0,
    durationUs: 0,
    annotations: [] as V1Annotation[],
    binaryAnnotations: [] as V1BinaryAnnotation[],
  };
  reader.struct((field, type) => {
    if (type === i64 && field === 1) span.low = readId(reader);
    else if (type === string && field === 3) span.name = reader.text();
    else if (type === i64 && field === 4) span.id = readId(reader);
    else if (type === i64 && field === 5) span.parentId = readId(reader);
    else if (type === list && field === 6)
      span.annotations = reader.list(struct, () => readAnnotation(reader));
    else if (type === list && field === 8)
      span.binaryAnnotations = reader.list(struct, () => readBinaryAnnotation(reader));
    else if (type === i64 && field === 10) span.timestampUs = reader.i64Number();
    else if (type === i64 && field === 11) span.durationUs = reader.i64Number();
    else if (type === i64 && field === 12) span.high = readId(reader);
    else reader.skip(type);
  });
  const { high, low, ...rest } = span;
  return { ...rest, traceId: high + low, timeRequired: false };
}

function readAnnotation(reader: ThriftBinaryReader): V1Annotation {
  const annotation = { timestampUs: 0, value: '', endpoint: undefined as V1Endpoint | undefined };
  reader.struct((field, type) => {
    if (type === i64 && field === 1) annotation.timestampUs = reader.i64Number();
    else if (type === string && field === 2) annotation.value = reader.text();
    else if (type === struct && field === 3) annotation.endpoint = readEndpoint(reader);
    else reader.skip(type);
  });
  return annotation;
}

function readBinaryAnnotation(reader: ThriftBinaryReader): V1BinaryAnnotation {
  let key = '';
  let bytes: Buffer = Buffer.alloc(0);
  let kind = 0;
  let endpoint: V1Endpoint | undefined;
  reader.struct((field, type) => {
    if (type === string && field === 1) key = reader.text();
    else if (type === string && field === 2) bytes = reader.binary();
    else if (type === i32 && field === 3) kind = reader.i32();
    else if (type === struct && field === 4) endpoint = readEndpoint(reader);
    else reader.skip(type);
  });
  return { key, value: annotationValue(kind, bytes), text: bytes.toString('utf8'), endpoint };
}

function readEndpoint(reader: ThriftBinaryReader): V1Endpoint {
  const endpoint = { serviceName: '', ipv4: '', ipv6: '', port: 0 };
  reader.struct((field, type) => {
    if (type === i32 && field === 1) {
      const ip = reader.i32();
      if (ip !== 0) endpoint.ipv4 = [ip >>> 24, (ip >>> 16) & 255, (ip >>> 8) & 255, ip & 255].join('.');
    } else if (type === i16 && field === 2) endpoint.port = reader.i16();
    else if (type === string && field === 3) endpoint.serviceName = reader.text();
    else if (type === string && field === 4) endpoint.ipv6 = ipOfBytes(reader.binary());
    else reader.skip(type);
  });
  return endpoint;
}

function readId(reader: ThriftBinaryReader): string {
  reader.i64();
  return reader.hi.toString(16).padStart(8, '0') + reader.lo.toString(16).padStart(8, '0');
}

/** By the number of `AnnotationType`. Integers are unsigned but for those of 64 bits, as a Collector reads them. */
function annotationValue(kind: number, bytes: Buffer): AttributeInput {
  switch (kind) {
    case 0:
      return bytes.length === 1 && bytes[0] === 1;
    case 1:
      return bytes.toString('base64');
    case 2:
      return bytes.length < 2 ? TOO_SHORT : bytes.readUInt16BE(0);
    case 3:
      return bytes.length < 4 ? TOO_SHORT : bytes.readUInt32BE(0);
    case 4:
      return bytes.length < 8 ? TOO_SHORT : bytes.readBigInt64BE(0);
    case 5:
      return bytes.length < 8 ? TOO_SHORT : { double: bytes.readDoubleBE(0) };
    case 6:
      return bytes.toString('utf8');
    default:
      return `<unknown zipkin v1 binary annotation type (${kind})>`;
  }
}

const TOO_SHORT = '<not enough bytes representing the number>';
