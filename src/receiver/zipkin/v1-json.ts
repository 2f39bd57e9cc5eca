/** Zipkin v1 JSON, with the sentences of the Collector's translator (zipkinv1/json.go of contrib 0.155). */
import { ZipkinError } from '../../zipkin/model.js';
import {
  arrayField,
  asArray,
  asObject,
  checkBool,
  intField,
  type JsonObject,
  objectField,
  parseJson,
  stringField,
} from './json-fields.js';
import { parseTagValue } from './tag-values.js';
import type { V1Annotation, V1BinaryAnnotation, V1Endpoint, V1Span } from './v1-model.js';

const INT64 = ['int64', -(2 ** 63), 2 ** 63] as const;
const INT32 = ['int32', -(2 ** 31), 2 ** 31 - 1] as const;
const OWNER = 'jsonSpan';

/** Throws `ZipkinError`. */
export function readV1Json(body: Uint8Array, parseStringTags: boolean): V1Span[] {
  let items: readonly JsonObject[];
  try {
    items = asArray(parseJson(body), '[]*zipkinv1.jsonSpan').map((item) =>
      asObject(item, 'value', 'zipkinv1.jsonSpan'),
    );
    return items.map((item) => readSpan(item, parseStringTags));
  } catch (error) {
    if (!(error instanceof ZipkinError) || error.message.startsWith('zipkinV1 ')) throw error;
    throw new ZipkinError(`zipkinv1: ${error.message}`, { cause: error });
  }
}

function readSpan(object: JsonObject, parseStringTags: boolean): V1Span {
  checkBool(object, 'debug', OWNER);
  const parentId = stringField(object, 'parentId', OWNER);
  return {
    name: stringField(object, 'name', OWNER),
    timestampUs: intField(object, 'timestamp', OWNER, ...INT64),
    durationUs: intField(object, 'duration', OWNER, ...INT64),
    annotations: arrayField(object, 'annotations', OWNER, '[]*zipkinv1.annotation').flatMap(readAnnotation),
    binaryAnnotations: arrayField(object, 'binaryAnnotations', OWNER, '[]*zipkinv1.binaryAnnotation').flatMap(
      (item) => readBinaryAnnotation(item, parseStringTags),
    ),
    timeRequired: true,
    traceId: readTraceId(stringField(object, 'traceId', OWNER)),
    id: readSpanId(stringField(object, 'id', OWNER), 'zipkinV1 span id'),
    parentId: parentId === '' ? '' : readSpanId(parentId, 'zipkinV1 span parentId'),
  };
}

function readAnnotation(item: unknown): V1Annotation[] {
  if (item === null) return [];
  const object = asObject(item, 'value', 'zipkinv1.annotation');
  return [
    {
      timestampUs: intField(object, 'timestamp', 'annotation', ...INT64),
      value: stringField(object, 'value', 'annotation'),
      endpoint: readEndpoint(object, 'annotation'),
    },
  ];
}

function readBinaryAnnotation(item: unknown, parseStringTags: boolean): V1BinaryAnnotation[] {
  if (item === null) return [];
  const object = asObject(item, 'value', 'zipkinv1.binaryAnnotation');
  const text = stringField(object, 'value', 'binaryAnnotation');
  return [
    {
      key: stringField(object, 'key', 'binaryAnnotation'),
      value: parseStringTags ? parseTagValue(text) : text,
      text,
      endpoint: readEndpoint(object, 'binaryAnnotation'),
    },
  ];
}

function readEndpoint(parent: JsonObject, owner: string): V1Endpoint | undefined {
  const object = objectField(parent, 'endpoint', owner, 'zipkinv1.endpoint');
  if (object === undefined) return undefined;
  return {
    serviceName: stringField(object, 'serviceName', 'endpoint'),
    ipv4: stringField(object, 'ipv4', 'endpoint'),
    ipv6: stringField(object, 'ipv6', 'endpoint'),
    port: intField(object, 'port', 'endpoint', ...INT32),
  };
}

function readTraceId(text: string): string {
  const what = 'zipkinV1 span traceId';
  if (text.length !== 16 && text.length !== 32) {
    throw new ZipkinError(`${what}: hex traceId span has wrong length (expected 16 or 32)`);
  }
  checkHex(text, what);
  if (/^0*$/.test(text)) throw new ZipkinError(`${what}: traceId is zero`);
  return text.toLowerCase().padStart(32, '0');
}

function readSpanId(text: string, what: string): string {
  if (text.length !== 16) throw new ZipkinError(`${what}: hex Id has wrong length (expected 16)`);
  checkHex(text, what);
  if (/^0*$/.test(text)) throw new ZipkinError(`${what}: ID is zero`);
  return text.toLowerCase();
}

function checkHex(text: string, what: string): void {
  const bad = /[^0-9a-fA-F]/.exec(text)?.[0];
  if (bad === undefined) return;
  const point = `U+${bad.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0')}`;
  throw new ZipkinError(`${what}: encoding/hex: invalid byte: ${point} '${bad}'`);
}
